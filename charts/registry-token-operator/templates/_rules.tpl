{{/* What docs/security.md lists, by where it is needed. */}}

{{/* Cluster-scoped objects. */}}
{{- define "rto.rules.cluster" -}}
- apiGroups: [pullsecrets.dev]
  resources: [registryaccounts]
  verbs: [get, list, watch]
- apiGroups: [pullsecrets.dev]
  resources: [registryaccounts/status]
  verbs: [patch]
- apiGroups: ['']
  resources: [namespaces]
  verbs: [get, list, watch]
{{- if (.Values.operator | default dict).clusterTokens }}
- apiGroups: [pullsecrets.dev]
  resources: [clusterregistrytokens]
  verbs: [get, list, watch, patch]
- apiGroups: [pullsecrets.dev]
  resources: [clusterregistrytokens/status]
  verbs: [patch]
- apiGroups: [pullsecrets.dev]
  resources: [clusterregistrytokens/finalizers]
  verbs: [update]
{{- end }}
{{- end }}

{{/* Each namespace whose RegistryTokens are looked after. */}}
{{- define "rto.rules.tokens" -}}
- apiGroups: [pullsecrets.dev]
  resources: [registrytokens]
  verbs: [get, list, watch, patch]
{{- if (.Values.operator | default dict).clusterTokens }}
- apiGroups: [pullsecrets.dev]
  resources: [registrytokens]
  verbs: [create, delete]
{{- end }}
- apiGroups: [pullsecrets.dev]
  resources: [registrytokens/status]
  verbs: [patch]
- apiGroups: [pullsecrets.dev]
  resources: [registrytokens/finalizers]
  verbs: [update]
- apiGroups: ['']
  resources: [secrets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: ['']
  resources: [serviceaccounts]
  verbs: [get, list, watch, patch]
{{- if (.Values.operator | default dict).evictPods }}
- apiGroups: ['']
  resources: [pods]
  verbs: [get, list]
- apiGroups: ['']
  resources: [pods/eviction]
  verbs: [create]
{{- end }}
{{- if (.Values.operator | default dict).countPods }}
- apiGroups: ['']
  resources: [pods]
  verbs: [list, watch]
{{- end }}
{{ include "rto.rules.events" . }}
{{- end }}

{{- define "rto.rules.events" -}}
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{/* The operator's own namespace: the accounts' credentials, and the lease. */}}
{{- define "rto.rules.own" -}}
- apiGroups: ['']
  resources: [secrets]
  verbs: [get, list, watch]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [registry-token-operator]
  verbs: [get, patch]
{{- end }}
