{{- /* A release may have dots in its name, a Service may not. 52 leaves room for "-metrics". */ -}}
{{- define "cube-operator.name" -}}
{{- if and .Values.metricsService (not .Values.fullnameOverride) (regexMatch "^[0-9]" .Release.Name) }}
{{- fail (printf "the name of release %q begins with a digit, and the name of a Service may not: set fullnameOverride" .Release.Name) }}
{{- end }}
{{- .Values.fullnameOverride | default .Release.Name | replace "." "-" | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- define "cube-operator.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "cube-operator.name" .) }}
{{- end }}

{{- define "cube-operator.selector" -}}
app.kubernetes.io/name: cube-operator
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- /* The name of the objects of a shard: "of" is the root, "index" the number of the shard. A single one has the name of the release. */ -}}
{{- define "cube-operator.shard" -}}
{{- include "cube-operator.name" .of }}
{{- if gt (int .of.Values.shards) 1 }}-shard-{{ .index }}{{ end }}
{{- end }}

{{- /* The labels that select the pods of a shard. */ -}}
{{- define "cube-operator.shardSelector" -}}
{{- include "cube-operator.selector" .of }}
{{- if gt (int .of.Values.shards) 1 }}
cube-operator.dev/shard: {{ .index | quote }}
{{- end }}
{{- end }}

{{- /* All labels of an object: "of" is the root, "labels" are the labels of this object. The first ones win: objects are selected by them. */ -}}
{{- define "cube-operator.labels" -}}
{{- $labels := include "cube-operator.selector" .of | fromYaml }}
{{- $_ := set $labels "app.kubernetes.io/version" .of.Chart.AppVersion }}
{{- $_ := set $labels "app.kubernetes.io/managed-by" .of.Release.Service }}
{{- $_ := set $labels "helm.sh/chart" (printf "%s-%s" .of.Chart.Name (.of.Chart.Version | replace "+" "_")) }}
{{- merge $labels (.labels | default dict) .of.Values.commonLabels | toYaml }}
{{- end }}

{{- /* The metadata of an object: "of" is the root; "namespace", "labels" and "annotations" only where the object has them. */ -}}
{{- define "cube-operator.metadata" -}}
name: {{ .name | quote }}
{{- with .namespace }}
namespace: {{ . | quote }}
{{- end }}
labels:
  {{- include "cube-operator.labels" . | nindent 2 }}
{{- with merge (.annotations | default dict | deepCopy) .of.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "cube-operator.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{- /* The port of /metrics, by its name: with TLS it is one of its own, because the kubelet's probes have no certificate to check. */ -}}
{{- define "cube-operator.metricsPort" -}}
{{- ternary "metrics" "http" (ne .Values.metrics.tlsSecret "") }}
{{- end }}

{{- define "cube-operator.metricsPortNumber" -}}
{{- ternary 8443 8080 (ne .Values.metrics.tlsSecret "") }}
{{- end }}

{{- /* The name of a cluster-scoped object: two releases in two namespaces may have one name. "part" tells objects of a release apart. */ -}}
{{- define "cube-operator.clusterScoped" -}}
{{- $release := printf "%s.%s" (include "cube-operator.name" .of) .of.Release.Namespace }}
{{- ternary (printf "%s.%s" $release .part) $release (hasKey . "part") }}
{{- end }}

{{- /* Puts a policy in force: "of" is the root. "namespaces": only there; empty: everywhere. */ -}}
{{- define "cube-operator.policyBinding" -}}
{{- $name := include "cube-operator.clusterScoped" . -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  {{- include "cube-operator.metadata" (dict "of" .of "name" $name) | nindent 2 }}
spec:
  policyName: {{ $name | quote }}
  validationActions: [Deny]
  {{- with .namespaces }}
  matchResources:
    namespaceSelector:
      matchExpressions:
        - key: kubernetes.io/metadata.name
          operator: In
          values: {{ toJson . }}
  {{- end }}
{{- end }}
