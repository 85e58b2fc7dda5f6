{{- define "rto.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{- define "rto.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "rto.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "rto.serviceAccountName" -}}
{{- default (include "rto.fullname" .) .Values.serviceAccount.name -}}
{{- end }}

{{- define "rto.selectorLabels" -}}
app.kubernetes.io/name: {{ include "rto.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{/* The chart's own labels win over commonLabels. */}}
{{- define "rto.labels" -}}
{{- $own := include "rto.selectorLabels" . | fromYaml -}}
{{- $_ := set $own "app.kubernetes.io/version" .Chart.AppVersion -}}
{{- $_ := set $own "app.kubernetes.io/managed-by" .Release.Service -}}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_") -}}
{{- merge $own (.Values.commonLabels | default dict) | toYaml -}}
{{- end }}

{{- define "rto.podLabels" -}}
{{- $own := include "rto.selectorLabels" . | fromYaml -}}
{{- $_ := set $own "app.kubernetes.io/version" .Chart.AppVersion -}}
{{- merge $own (.Values.podLabels | default dict) (.Values.commonLabels | default dict) | toYaml -}}
{{- end }}

{{- define "rto.image" -}}
{{- with .Values.image -}}
{{- $repository := required "image.repository is empty: say where your nodes find the operator's image, such as registry.example/registry-token-operator" .repository -}}
{{- if .digest -}}
{{ $repository }}@{{ .digest }}
{{- else -}}
{{ $repository }}:{{ default $.Chart.AppVersion .tag }}
{{- end -}}
{{- end -}}
{{- end }}

{{/* What keeps an object when Helm would delete it: on uninstall, on a rollback to before it was there, and when it leaves the values. */}}
{{- define "rto.keep" -}}
helm.sh/resource-policy: keep
{{- end }}

{{/* Custom resources may be part of a manifest that a GitOps tool checks before their CRDs are there. */}}
{{- define "rto.customResourceAnnotations" -}}
{{ include "rto.keep" . }}
argocd.argoproj.io/sync-options: SkipDryRunOnMissingResource=true
{{- end }}

{{/*
A map as JSON, without what is null in it at any depth. Helm takes null as "removed" only where the chart has a default; what
one values file gives and another sets to null is left to the chart.
*/}}
{{- define "rto.withoutNulls" -}}
{{- $kept := dict -}}
{{- range $key, $value := . -}}
{{- if kindIs "map" $value -}}
{{- $_ := set $kept $key (include "rto.withoutNulls" $value | fromJson) -}}
{{- else if not (kindIs "invalid" $value) -}}
{{- $_ := set $kept $key $value -}}
{{- end -}}
{{- end -}}
{{- toJson $kept -}}
{{- end }}

{{/* Seconds of a duration such as 1h30m. */}}
{{- define "rto.seconds" -}}
{{- $total := 0 -}}
{{- range $unit, $seconds := dict "h" 3600 "m" 60 "s" 1 -}}
{{- $total = add $total (mul $seconds (regexFind (printf "[1-9][0-9]*%s" $unit) $ | trimSuffix $unit | int64)) -}}
{{- end -}}
{{ $total }}
{{- end }}

{{- define "rto.restrictedContainer" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "rto.restrictedPod" -}}
runAsNonRoot: true
{{- with .Values.podSecurityContext.runAsUser }}
runAsUser: {{ . | int64 }}
{{- end }}
{{- with .Values.podSecurityContext.runAsGroup }}
runAsGroup: {{ . | int64 }}
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "rto.subject" -}}
- kind: ServiceAccount
  name: {{ include "rto.serviceAccountName" . | quote }}
  namespace: {{ .Release.Namespace | quote }}
{{- end }}
