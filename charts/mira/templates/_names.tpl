{{- /* The labels of every object. */ -}}
{{- define "mira.labels" -}}
{{ include "mira.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- /* The labels by which the operator's pods are found; they never change within a release. */ -}}
{{- define "mira.selector" -}}
app.kubernetes.io/name: mira
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* The name of the operator's cluster-wide objects: two installs in one cluster do not share them. */ -}}
{{- define "mira.clusterName" -}}
{{ .Values.serviceAccount.name }}-{{ .Release.Namespace }}
{{- end }}

{{- /* Every operator's account as a JSON list, each once and sorted, as mira.adapters.policies.cel_list orders them. */ -}}
{{- define "mira.accounts" -}}
{{- $own := printf "system:serviceaccount:%s:%s" .Release.Namespace .Values.serviceAccount.name -}}
{{- append .Values.operatorAccounts $own | uniq | sortAlpha | toJson -}}
{{- end }}

{{- /* The same as a list in CEL, for a string in double quotes. */ -}}
{{- define "mira.celAccounts" -}}
['{{ include "mira.accounts" . | fromJsonArray | join "', '" }}']
{{- end }}
