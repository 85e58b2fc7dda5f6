{{/* What a schema cannot say. Each failure tells what is wrong and what to do. */}}
{{- define "rto.checks" -}}
{{- include "rto.checks.names" . -}}
{{- include "rto.checks.serviceAccount" . -}}
{{- include "rto.checks.durations" . -}}
{{- include "rto.checks.leaderElection" . -}}
{{- include "rto.checks.metrics" . -}}
{{- include "rto.checks.accounts" . -}}
{{- include "rto.checks.tokens" . -}}
{{- include "rto.checks.definitions" . -}}
{{- end }}

{{/* Services are named like hosts, which forbids what other names allow. */}}
{{- define "rto.checks.names" -}}
{{- $fullname := include "rto.fullname" . -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $fullname) -}}
{{- fail (printf "this release's objects would be named %s, which no Service can be: set fullnameOverride to a name that begins with a letter and has only lower-case letters, digits and hyphens" $fullname) -}}
{{- end -}}
{{- end }}

{{- define "rto.checks.serviceAccount" -}}
{{- with .Values.serviceAccount -}}
{{- if and (not .create) (not .name) -}}
{{- fail "serviceAccount.name: no ServiceAccount is made (serviceAccount.create is false), so name yours; the namespace's default one would share the operator's rights with every pod there" -}}
{{- end -}}
{{- if and (not .create) .annotations -}}
{{- fail "serviceAccount.annotations: there is no ServiceAccount to put them on; set serviceAccount.create, or annotate your own" -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* What the operator itself refuses, and would end with. */}}
{{- define "rto.checks.durations" -}}
{{- $values := .Values.operator | default dict -}}
{{- range $key, $least := dict "sweepInterval" "1m" "sweepDelay" "1s" "registryTimeout" "1s" -}}
{{- with get $values $key -}}
{{- if lt (include "rto.seconds" . | int64) (include "rto.seconds" $least | int64) -}}
{{- fail (printf "operator.%s (%s) must be at least %s" $key . $least) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "rto.checks.leaderElection" -}}
{{- with .Values.leaderElection -}}
{{- if le (int .leaseSeconds) (int .renewSeconds) -}}
{{- fail (printf "leaderElection.leaseSeconds (%d) must be more than leaderElection.renewSeconds (%d): a leader gives up before another takes over" (int .leaseSeconds) (int .renewSeconds)) -}}
{{- end -}}
{{- if le (mul 10 (int .renewSeconds)) (mul 12 (int .retrySeconds)) -}}
{{- fail (printf "leaderElection.renewSeconds (%d) must be more than 1.2 times leaderElection.retrySeconds (%d): a leader needs time for a second try" (int .renewSeconds) (int .retrySeconds)) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "rto.checks.metrics" -}}
{{- with .Values.metrics -}}
{{- if eq (int .port) (int $.Values.health.port) -}}
{{- fail (printf "metrics.port and health.port are both %d; choose two" (int .port)) -}}
{{- end -}}
{{- if and .serviceMonitor.enabled (not .service.enabled) -}}
{{- fail "metrics.serviceMonitor.enabled needs metrics.service.enabled; or use metrics.podMonitor" -}}
{{- end -}}
{{- range $key := list "serviceMonitor" "podMonitor" -}}
{{- with get $.Values.metrics $key -}}
{{- if gt (include "rto.seconds" .scrapeTimeout | int64) (include "rto.seconds" .interval | int64) -}}
{{- fail (printf "metrics.%s.scrapeTimeout (%s) must not be more than metrics.%s.interval (%s): Prometheus refuses that" $key .scrapeTimeout $key .interval) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .serviceMonitor.enabled .podMonitor.enabled -}}
{{- fail "metrics.serviceMonitor and metrics.podMonitor together would scrape every pod twice; choose one" -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Fields of a RegistryAccount's spec of which it takes exactly one, by the CRD's rule, as JSON. */}}
{{- define "rto.registries" -}}
{{- $crd := .Files.Get "files/crds/pullsecrets.dev_registryaccounts.yaml" | fromYaml -}}
{{- $spec := (first $crd.spec.versions).schema.openAPIV3Schema.properties.spec -}}
{{- $fields := list -}}
{{- range index $spec "x-kubernetes-validations" -}}
{{- if contains ".filter(given, given).size() == 1" .rule -}}
{{- range regexFindAll "has\\(self\\.\\w+\\)" .rule -1 -}}
{{- $fields = append $fields (. | trimPrefix "has(self." | trimSuffix ")") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $fields -}}
{{- end }}

{{- define "rto.checks.accounts" -}}
{{- $registries := include "rto.registries" . | fromJsonArray -}}
{{- range $name, $account := include "rto.withoutNulls" .Values.accounts | fromJson -}}
{{- $named := list -}}
{{- range $registries -}}
{{- if hasKey $account . -}}
{{- $named = append $named . -}}
{{- end -}}
{{- end -}}
{{- if gt (len $named) 1 -}}
{{- fail (printf "accounts.%s names several registries (%s); keep one, and set to null what another values file has" $name (join ", " $named)) -}}
{{- end -}}
{{- if and $account.credentials $account.credentialsSecretRef -}}
{{- fail (printf "accounts.%s has both credentialsSecretRef and credentials; keep one, better credentialsSecretRef" $name) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "rto.checks.tokens" -}}
{{- $seen := dict -}}
{{- $scope := .Values.scope.namespaces -}}
{{- range $key, $token := include "rto.withoutNulls" .Values.tokens | fromJson -}}
{{- $id := printf "%s/%s" $token.namespace ($token.name | default $key) -}}
{{- with get $seen $id -}}
{{- fail (printf "tokens.%s and tokens.%s are both RegistryToken %s" . $key $id) -}}
{{- end -}}
{{- $_ := set $seen $id $key -}}
{{- if and $scope (not (has $token.namespace $scope)) -}}
{{- fail (printf "tokens.%s is in a namespace that scope.namespaces leaves out (%s), so nobody would look after RegistryToken %s" $key (join ", " $scope) $id) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/*
Helm looks up every kind before it creates anything, so one release cannot bring a CRD and its first objects. Only a cluster
that answers is asked: `helm template` and GitOps tools render everything.
*/}}
{{- define "rto.checks.definitions" -}}
{{- $accounts := include "rto.withoutNulls" .Values.accounts | fromJson -}}
{{- $tokens := include "rto.withoutNulls" .Values.tokens | fromJson -}}
{{- if and (or $accounts $tokens) (lookup "v1" "Namespace" "" "kube-system") -}}
{{- if not (.Capabilities.APIVersions.Has "pullsecrets.dev/v1alpha1") -}}
{{- fail "accounts and tokens need the CRDs, and Helm can't create CRDs and their first objects in one go: run this once with --set accounts=null --set tokens=null added, then again without" -}}
{{- end -}}
{{- end -}}
{{- end }}
