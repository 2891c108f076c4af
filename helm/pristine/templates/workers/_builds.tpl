{{/*
The versions of the workers that run, as JSON: `[{buildId, suffix, image}]`, the current one first. One without a name where
workers are not versioned. `suffix` is for names: one that is cut, or loses more than dots, is told apart by a hash.
*/}}
{{- define "pristine.builds" -}}
{{- $versioning := .Values.workers.versioning -}}
{{- $builds := list -}}
{{- if $versioning.enabled -}}
{{- $current := dict "buildId" $versioning.buildId "image" .Values.image -}}
{{- range prepend $versioning.previous $current -}}
{{- $image := merge (dict) .image (dict "repository" $.Values.image.repository "tag" "" "digest" "") -}}
{{- $id := .buildId | default $image.tag | default ($image.digest | trimPrefix "sha256:" | trunc 12) | default $.Chart.AppVersion -}}
{{- $name := regexReplaceAll "[^a-z0-9]+" (lower $id) "-" | trunc 20 | trimSuffix "-" -}}
{{- if ne $name ($id | replace "." "-") -}}
{{- $name = printf "%s-%s" (trunc 13 $name | trimSuffix "-") (sha256sum $id | trunc 6) -}}
{{- end -}}
{{- $builds = append $builds (dict "buildId" $id "suffix" (printf "-%s" $name) "image" $image) -}}
{{- end -}}
{{- else -}}
{{- $builds = list (dict "buildId" "" "suffix" "" "image" .Values.image) -}}
{{- end -}}
{{- dict "builds" $builds | toJson -}}
{{- end -}}
