{{/* What a schema cannot say. Each failure tells what is wrong and what to do. */}}
{{- define "rto.checks" -}}
{{- include "rto.checks.names" . -}}
{{- include "rto.checks.serviceAccount" . -}}
{{- include "rto.checks.durations" . -}}
{{- include "rto.checks.leaderElection" . -}}
{{- include "rto.checks.termination" . -}}
{{- include "rto.checks.disruption" . -}}
{{- include "rto.checks.metrics" . -}}
{{- include "rto.checks.accounts" . -}}
{{- include "rto.checks.tokens" . -}}
{{- include "rto.checks.clusterTokens" . -}}
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

{{/* A budget that lets no replica go holds up every drain. */}}
{{- define "rto.checks.disruption" -}}
{{- with .Values.podDisruptionBudget.minAvailable -}}
{{- if ge (int .) (int $.Values.replicaCount) -}}
{{- fail (printf "podDisruptionBudget.minAvailable (%d) must be less than replicaCount (%d): else no node with a replica can be drained" (int .) (int $.Values.replicaCount)) -}}
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
{{- $lease := include "rto.seconds" .leaseDuration | int64 -}}
{{- $renew := include "rto.seconds" .renewDeadline | int64 -}}
{{- $retry := include "rto.seconds" .retryPeriod | int64 -}}
{{- if lt $retry 1 -}}
{{- fail (printf "leaderElection.retryPeriod (%s) must be at least 1s" .retryPeriod) -}}
{{- end -}}
{{- if le $lease $renew -}}
{{- fail (printf "leaderElection.leaseDuration (%s) must be more than leaderElection.renewDeadline (%s): a leader gives up before another takes over" .leaseDuration .renewDeadline) -}}
{{- end -}}
{{- if le (mul 10 $renew) (mul 12 $retry) -}}
{{- fail (printf "leaderElection.renewDeadline (%s) must be more than 1.2 times leaderElection.retryPeriod (%s): a leader needs time for a second try" .renewDeadline .retryPeriod) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "rto.checks.termination" -}}
{{- $shutdown := include "rto.shutdownSeconds" . | int64 -}}
{{- with .Values.terminationGracePeriodSeconds -}}
{{- if lt (int64 .) $shutdown -}}
{{- fail (printf "terminationGracePeriodSeconds (%d) must be at least operator.shutdownTimeout (%ds): work under way would be cut off" (int64 .) $shutdown) -}}
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

{{/* The CRD's rules on which fields an account takes, as JSON: `registry`, exactly one of its fields; `credentials`, at least one. */}}
{{- define "rto.accountRules" -}}
{{- $crd := .Files.Get "crds/pullsecrets.dev_registryaccounts.yaml" | fromYaml -}}
{{- $spec := (first $crd.spec.versions).schema.openAPIV3Schema.properties.spec -}}
{{- $rules := dict -}}
{{- range index $spec "x-kubernetes-validations" -}}
{{- $fields := list -}}
{{- range regexFindAll "has\\(self\\.\\w+\\)" .rule -1 -}}
{{- $fields = append $fields (. | trimPrefix "has(self." | trimSuffix ")") -}}
{{- end -}}
{{- $rule := dict "fields" $fields "message" .message -}}
{{- if contains ".filter(given, given).size() == 1" .rule -}}
{{- $_ := set $rules "registry" $rule -}}
{{- else if hasPrefix "has(self.credentialsSecretRef) ||" .rule -}}
{{- $_ := set $rules "credentials" $rule -}}
{{- end -}}
{{- end -}}
{{- toJson $rules -}}
{{- end }}

{{/* The fields of an account's spec that name a registry, as JSON. */}}
{{- define "rto.registries" -}}
{{- toJson (include "rto.accountRules" . | fromJson).registry.fields -}}
{{- end }}

{{- define "rto.checks.accounts" -}}
{{- $rules := include "rto.accountRules" . | fromJson -}}
{{- range $name, $account := include "rto.withoutNulls" .Values.accounts | fromJson -}}
{{- $named := list -}}
{{- range $rules.registry.fields -}}
{{- if hasKey $account . -}}
{{- $named = append $named . -}}
{{- end -}}
{{- end -}}
{{- if eq (len $named) 0 -}}
{{- fail (printf "accounts.%s names no registry: %s" $name $rules.registry.message) -}}
{{- end -}}
{{- if gt (len $named) 1 -}}
{{- fail (printf "accounts.%s names several registries (%s); keep one, and set to null what another values file has" $name (join ", " $named)) -}}
{{- end -}}
{{- $given := hasKey $account "credentials" -}}
{{- range $rules.credentials.fields -}}
{{- $given = or $given (hasKey $account .) -}}
{{- end -}}
{{- if not $given -}}
{{- fail (printf "accounts.%s has no credentials: %s" $name $rules.credentials.message) -}}
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

{{/* Both say what the operator would be told, or would never do. */}}
{{- define "rto.checks.clusterTokens" -}}
{{- $enabled := (.Values.operator | default dict).clusterTokens -}}
{{- if and $enabled .Values.scope.namespaces -}}
{{- fail (printf "operator.clusterTokens selects among all namespaces, so it does not go with scope.namespaces (%s)" (join ", " .Values.scope.namespaces)) -}}
{{- end -}}
{{- $names := include "rto.withoutNulls" .Values.clusterTokens | fromJson | keys | sortAlpha -}}
{{- if and $names (not $enabled) -}}
{{- fail (printf "nobody would look after the ClusterRegistryTokens of clusterTokens (%s): set operator.clusterTokens to true" (join ", " $names)) -}}
{{- end -}}
{{- end }}

{{/*
Helm installs the CRDs of a chart's crds/ once, and never upgrades them. With CRDs of another release the API server would drop the
fields that it does not know, and nobody would notice. Only a cluster that answers is asked: `helm template` and GitOps tools that
use it bring the CRDs themselves.
*/}}
{{- define "rto.checks.definitions" -}}
{{- if (.Values.crds | default dict).check -}}
{{- $mark := "pullsecrets.dev/definition" -}}
{{- range $path, $_ := .Files.Glob "crds/*.yaml" -}}
{{- $ours := ($.Files.Get $path | fromYaml).metadata -}}
{{- with (lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" $ours.name).metadata -}}
{{- if ne (get (.annotations | default dict) $mark) (get $ours.annotations $mark) -}}
{{- fail (printf "the CRD %s in this cluster is not this chart's, and Helm does not upgrade CRDs: first run `helm show crds CHART | kubectl apply --server-side --force-conflicts -f -` with this CHART; Flux does so with spec.upgrade.crds: CreateReplace; or set crds.check=false" $ours.name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
