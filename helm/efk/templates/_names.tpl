
{{- define "efk.labels" -}}
app.kubernetes.io/name: efk
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end }}

{{- define "efk.selector" -}}
app.kubernetes.io/name: efk
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{/* registry/repository:tag@digest. With a registry of its own, an image keeps its path and not its old registry. */}}
{{- define "efk.image" -}}
{{- $repository := .image.repository }}
{{- with .root.Values.global.imageRegistry }}
{{- $parts := splitList "/" $repository }}
{{- if and (gt (len $parts) 1) (regexMatch "[.:]|^localhost$" (first $parts)) }}{{ $parts = rest $parts }}{{ end }}
{{- $repository = printf "%s/%s" (trimSuffix "/" .) (join "/" $parts) }}
{{- end }}
{{- $repository }}:{{ .image.tag | default .root.Chart.AppVersion }}{{ with .image.digest }}@{{ . }}{{ end }}
{{- end }}

{{- define "efk.pullSecrets" -}}
{{- with .Values.global.imagePullSecrets }}
imagePullSecrets: {{ toJson . }}
{{- end }}
{{- end }}

{{/* Not empty when the chart brings Elasticsearch itself. */}}
{{- define "efk.own" -}}
{{- if not .Values.output.host }}own{{ end }}
{{- end }}

{{- define "efk.secret" -}}
{{- .Values.elasticsearch.existingSecret | default (printf "%s-elasticsearch" .Release.Name) }}
{{- end }}

{{- define "efk.host" -}}
{{- .Values.output.host | default (printf "%s-elasticsearch.%s.svc" .Release.Name .Release.Namespace) }}
{{- end }}

{{- define "efk.url" -}}
{{- if include "efk.own" . }}https://{{ include "efk.host" . }}:9200
{{- else }}{{ ternary "https" "http" .Values.output.tls.enabled }}://{{ .Values.output.host }}:{{ .Values.output.port }}{{ end }}
{{- end }}

{{/* The Secret with ca.crt, if there is one. */}}
{{- define "efk.caSecret" -}}
{{- if include "efk.own" . }}{{ include "efk.secret" . }}{{ else if .Values.output.tls.enabled }}{{ .Values.output.tls.caSecret }}{{ end }}
{{- end }}

{{- define "efk.hardened" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}
