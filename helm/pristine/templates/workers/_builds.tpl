{{/*
The versions of the workers that run, as JSON: `[{buildId, suffix, image}]`, the current one first. One without a name where
workers are not versioned.
*/}}
{{- define "pristine.builds" -}}
{{- $versioning := .Values.workers.versioning -}}
{{- $builds := list -}}
{{- if $versioning.enabled -}}
{{- $current := dict "buildId" $versioning.buildId "image" .Values.image -}}
{{- range prepend $versioning.previous $current -}}
{{- $image := merge (dict) .image (dict "repository" $.Values.image.repository "tag" "" "digest" "") -}}
{{- $id := .buildId | default $image.tag | default $.Chart.AppVersion -}}
{{- $suffix := printf "-%s" (regexReplaceAll "[^a-z0-9]+" (lower $id) "-" | trunc 20 | trimSuffix "-") -}}
{{- $builds = append $builds (dict "buildId" $id "suffix" $suffix "image" $image) -}}
{{- end -}}
{{- else -}}
{{- $builds = list (dict "buildId" "" "suffix" "" "image" .Values.image) -}}
{{- end -}}
{{- dict "builds" $builds | toJson -}}
{{- end -}}
