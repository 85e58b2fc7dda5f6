{{/*
Whose specs the rules look at, and where in the object they are. What a ClusterRegistryToken asks for is asked for once, by whoever
writes it: the operator, who writes the RegistryTokens of its template, is exempt.
*/}}
{{- define "rto.guardrails.kinds" -}}
registrytokens: { path: spec, suffix: '' }
{{- if (.Values.operator | default dict).clusterTokens }}
clusterregistrytokens: { path: spec.template.spec, suffix: -for-many }
{{- end }}
{{- end }}

{{/*
The rules, by their key in values: `asks` is a CEL condition on `SPEC`, true when it asks for more than the rule leaves to
everyone; `field` is what it looks at.
*/}}
{{- define "rto.guardrails.rules" -}}
readWrite:
  name: read-write
  field: access
  asks: has(SPEC.access) && SPEC.access == 'ReadWrite'
  message: access ReadWrite is not for everyone in this cluster; ask for ReadOnly, or ask an administrator
neverExpiring:
  name: never-expiring
  field: lifetime
  asks: has(SPEC.lifetime) && SPEC.lifetime == 'Never'
  message: lifetime Never is not for everyone in this cluster; ask for a token that expires, or ask an administrator
lifetime:
  name: lifetime
  field: lifetime
  {{- /* What a RegistryToken without a lifetime gets is for its registry to say, and no more than this at any of those there are. */}}
  {{- $asked := "(has(SPEC.lifetime) ? SPEC.lifetime : '24h')" }}
  asks: >-
    {{ $asked }} != 'Never' && duration({{ $asked }}) > duration('{{ .Values.guardrails.lifetime.max }}')
  message: a lifetime over {{ .Values.guardrails.lifetime.max }} is not for everyone in this cluster, and none named is 24h; ask for less, or ask an administrator
regions:
  name: regions
  field: region
  asks: has(SPEC.region) && !(SPEC.region in {{ .Values.guardrails.regions.allowed | toJson }})
  message: 'this region is not for everyone in this cluster; ask for one of: {{ join ", " .Values.guardrails.regions.allowed }}, or ask an administrator'
{{- end }}

{{/* What is unchanged was allowed before, and must not keep others, the operator among them, from updating the object. */}}
{{- define "rto.guardrails.unchanged" -}}
oldObject != null && has(oldObject.SPEC.{{ . }}) == has(object.SPEC.{{ . }}) && (!has(object.SPEC.{{ . }}) || oldObject.SPEC.{{ . }} == object.SPEC.{{ . }})
{{- end }}

{{/* A list that was taken away exempts nobody. */}}
{{- define "rto.guardrails.exempt" -}}
request.userInfo.username in {{ .users | default list | toJson }} || (has(request.userInfo.groups) && request.userInfo.groups.exists(group, group in {{ .groups | default list | toJson }}))
{{- end }}
