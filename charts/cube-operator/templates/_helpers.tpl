{{- /* A release may have dots in its name, a Service may not. 52 leaves room for "-metrics". */ -}}
{{- define "cube-operator.name" -}}
{{- .Values.fullnameOverride | default .Release.Name | replace "." "-" | trunc 52 | trimSuffix "-" }}
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
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "cube-operator.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}
