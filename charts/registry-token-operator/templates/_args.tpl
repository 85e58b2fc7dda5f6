{{- define "rto.args" -}}
- --operator-namespace={{ .Release.Namespace }}
{{- with .Values.scope.namespaces }}
- --watch-namespaces={{ join "," . }}
{{- end }}
{{- with .Values.operator }}
{{- with .clusterId }}
- --cluster-id={{ . }}
{{- end }}
- --workers={{ .workers }}
- --mint-budget={{ .mintBudget }}
- --default-grace-period={{ .defaultGracePeriod }}
- --revocation-deadline={{ .revocationDeadline }}
- --sweep={{ .sweep }}
- --sweep-interval={{ .sweepInterval }}
- --sweep-delay={{ .sweepDelay }}
- --evict-pods={{ .evictPods }}
- --registry-timeout={{ .registryTimeout }}
- --shutdown-timeout={{ .shutdownSeconds }}s
- --log-level={{ .logLevel }}
- --log-format={{ .logFormat }}
{{- end }}
{{- with .Values.leaderElection }}
- --leader-elect-lease-duration={{ .leaseSeconds }}s
- --leader-elect-renew-deadline={{ .renewSeconds }}s
- --leader-elect-retry-period={{ .retrySeconds }}s
{{- end }}
- --metrics-bind-address=:{{ .Values.metrics.port }}
- --health-probe-bind-address=:{{ .Values.health.port }}
{{- end }}
