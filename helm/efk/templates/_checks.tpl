
{{/* What values.schema.json can't say. Each message begins with what is to be changed. */}}
{{- define "efk.checks" -}}
{{- if include "efk.own" . -}}
{{- if not .Values.provision.enabled -}}
{{- fail "provision.enabled: the users of the chart's own Elasticsearch are made by the Job alone, and without them neither Fluent Bit nor Kibana gets in: leave it on, or name your own cluster in output.host" -}}
{{- end -}}
{{- /* With "-elasticsearch" and a hash it is a label of the StatefulSet's pods: 63 at most. */ -}}
{{- if gt (len .Release.Name) 38 -}}
{{- fail (printf "release name: at most 38 characters with the chart's own Elasticsearch, %s has %d" .Release.Name (len .Release.Name)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
