{{/* Name of everything in the release; other names are made from it, so it leaves them 20 characters. */}}
{{- define "pristine.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 43 | trimSuffix "-" -}}
{{- else if contains "pristine" .Release.Name -}}
{{- .Release.Name | trunc 43 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-pristine" (.Release.Name | trunc 34 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{/* Selects the pods of the release. */}}
{{- define "pristine.releaseLabels" -}}
app.kubernetes.io/name: pristine
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{/* Selects what belongs to one component. Takes {root, component}. */}}
{{- define "pristine.selectorLabels" -}}
{{ include "pristine.releaseLabels" .root }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* Of pods: without versions, so that a new chart alone starts nothing anew. Takes {root, component}. */}}
{{- define "pristine.podLabels" -}}
{{ include "pristine.selectorLabels" . }}
app.kubernetes.io/part-of: pristine
{{- end -}}

{{/* Takes {root, component}. */}}
{{- define "pristine.labels" -}}
{{ include "pristine.podLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Takes {root, image: {repository, tag, digest}}. A digest goes before a tag. */}}
{{- define "pristine.image" -}}
{{- $ref := printf "%s:%s" .image.repository (.image.tag | default .root.Chart.AppVersion) -}}
{{- if .image.digest -}}{{- $ref = printf "%s@%s" .image.repository .image.digest -}}{{- end -}}
{{- include "pristine.inRegistry" (dict "root" .root "ref" $ref) -}}
{{- end -}}

{{/* An image's reference, from the mirror if there is one. Takes {root, ref}. */}}
{{- define "pristine.inRegistry" -}}
{{- with .root.Values.global.imageRegistry -}}{{ trimSuffix "/" . }}/{{- end -}}{{ .ref }}
{{- end -}}

{{/* Service account of a role's workers. Takes {root, role}. */}}
{{- define "pristine.serviceAccountName" -}}
{{ include "pristine.fullname" .root }}-{{ .role }}
{{- end -}}

{{/* The namespace of the file pods. */}}
{{- define "pristine.filePodsNamespace" -}}
{{- .Values.filePods.namespace.name | default (printf "%s-files" .Release.Namespace) -}}
{{- end -}}

{{/* What file pods of this installation are labelled with (pristine instance), and swept by. */}}
{{- define "pristine.instance" -}}
{{ include "pristine.fullname" . }}
{{- end -}}

{{/* PriorityClass of the file pods; empty, which needs the admission policy off: the cluster's default. */}}
{{- define "pristine.filePodsPriorityClass" -}}
{{- $class := .Values.filePods.priorityClass -}}
{{- $class.name | default (ternary (include "pristine.filePodsClusterName" .) "" $class.create) -}}
{{- end -}}
