{{/*
A value that is absent, as a new one is after an upgrade with --reuse-values, gives no flag: the operator has the same
defaults.
*/}}
{{- define "rto.args" -}}
- --operator-namespace={{ .Release.Namespace }}
{{- with .Values.scope.namespaces }}
- --watch-namespaces={{ join "," . }}
{{- end }}
{{- $operator := .Values.operator | default dict }}
{{- $election := .Values.leaderElection | default dict }}
{{- range list
  (list "cluster-id" $operator.clusterId)
  (list "workers" $operator.workers)
  (list "mint-budget" $operator.mintBudget)
  (list "default-grace-period" $operator.defaultGracePeriod)
  (list "revocation-deadline" $operator.revocationDeadline)
  (list "sweep" $operator.sweep)
  (list "sweep-interval" $operator.sweepInterval)
  (list "sweep-delay" $operator.sweepDelay)
  (list "cluster-tokens" $operator.clusterTokens)
  (list "evict-pods" $operator.evictPods)
  (list "count-pods" $operator.countPods)
  (list "registry-timeout" $operator.registryTimeout)
  (list "shutdown-timeout" $operator.shutdownTimeout)
  (list "log-level" $operator.logLevel)
  (list "log-format" $operator.logFormat)
  (list "leader-elect-lease-duration" $election.leaseDuration)
  (list "leader-elect-renew-deadline" $election.renewDeadline)
  (list "leader-elect-retry-period" $election.retryPeriod)
}}
{{- $value := index . 1 | toString }}
{{- if not (or (kindIs "invalid" (index . 1)) (eq $value "")) }}
- --{{ first . }}={{ $value }}
{{- end }}
{{- end }}
- --metrics-bind-address=:{{ .Values.metrics.port }}
- --health-probe-bind-address=:{{ .Values.health.port }}
{{- range .Values.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end }}
