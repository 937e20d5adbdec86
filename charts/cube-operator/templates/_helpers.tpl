{{- define "cube-operator.name" -}}
{{- .Values.fullnameOverride | default .Release.Name | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- define "cube-operator.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "cube-operator.name" .) }}
{{- end }}

{{- define "cube-operator.selector" -}}
app.kubernetes.io/name: cube-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "cube-operator.labels" -}}
{{ include "cube-operator.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "cube-operator.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}
