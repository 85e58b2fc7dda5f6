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
{{- $_ := set $own "app.kubernetes.io/part-of" .Chart.Name -}}
{{- $_ := set $own "app.kubernetes.io/managed-by" .Release.Service -}}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_") -}}
{{- merge $own (.Values.commonLabels | default dict) | toYaml -}}
{{- end }}

{{- define "rto.podLabels" -}}
{{- $own := include "rto.selectorLabels" . | fromYaml -}}
{{- $_ := set $own "app.kubernetes.io/version" .Chart.AppVersion -}}
{{- $_ := set $own "app.kubernetes.io/part-of" .Chart.Name -}}
{{- merge $own (.Values.podLabels | default dict) (.Values.commonLabels | default dict) | toYaml -}}
{{- end }}

{{/*
What stands below `metadata`. Takes a dict: root (the chart's scope), name; optionally namespace, labels and annotations, which
win over commonAnnotations. The chart's own labels win over all.
*/}}
{{- define "rto.metadata" -}}
name: {{ .name | quote }}
{{- with .namespace }}
namespace: {{ . | quote }}
{{- end }}
labels:
  {{- merge (include "rto.labels" .root | fromYaml) (.labels | default dict) | toYaml | nindent 2 }}
{{- with merge (dict) (.annotations | default dict) (.root.Values.commonAnnotations | default dict) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "rto.image" -}}
{{- $global := .Values.global | default dict -}}
{{- with .Values.image -}}
{{- $name := required "image.repository is empty: say where your nodes find the operator's image, such as registry.example/registry-token-operator" .repository -}}
{{- with $global.imageRegistry | default .registry -}}
{{- $name = printf "%s/%s" (trimSuffix "/" .) $name -}}
{{- end -}}
{{- if .digest -}}
{{ $name }}@{{ .digest }}
{{- else -}}
{{ $name }}:{{ default $.Chart.AppVersion .tag }}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Of this chart and of all charts; by name, or as a pod's spec has them. */}}
{{- define "rto.imagePullSecrets" -}}
{{- $names := list -}}
{{- range concat (.Values.imagePullSecrets | default list) ((.Values.global | default dict).imagePullSecrets | default list) -}}
{{- $names = append $names (kindIs "string" . | ternary . (get (kindIs "map" . | ternary . dict) "name")) -}}
{{- end -}}
{{- range $names | uniq }}
- name: {{ . | quote }}
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

{{/* Seconds that work under way may take to end when a pod stops. */}}
{{- define "rto.shutdownSeconds" -}}
{{- include "rto.seconds" ((.Values.operator | default dict).shutdownTimeout | default "20s") -}}
{{- end }}

{{/* Where the API server listens, as JSON: what is given, or what the cluster tells at installation. */}}
{{- define "rto.apiServerPorts" -}}
{{- $ports := .Values.networkPolicy.apiServerPorts | default list -}}
{{- if not $ports -}}
{{- $found := list -}}
{{- if .Capabilities.APIVersions.Has "discovery.k8s.io/v1/EndpointSlice" -}}
{{- $found = list (lookup "discovery.k8s.io/v1" "EndpointSlice" "default" "kubernetes") -}}
{{- else if .Capabilities.APIVersions.Has "v1/Endpoints" -}}
{{- $found = (lookup "v1" "Endpoints" "default" "kubernetes").subsets | default list -}}
{{- end -}}
{{- range $found -}}
{{- range .ports -}}
{{- $ports = append $ports (int .port) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson ($ports | uniq | default (list 6443)) -}}
{{- end }}

{{/* A security context of a pod or a container; null where the platform decides. */}}
{{- define "rto.securityContext" -}}
{{- include "rto.withoutNulls" . | fromJson | toYaml -}}
{{- end }}

{{- define "rto.subject" -}}
- kind: ServiceAccount
  name: {{ include "rto.serviceAccountName" . | quote }}
  namespace: {{ .Release.Namespace | quote }}
{{- end }}
