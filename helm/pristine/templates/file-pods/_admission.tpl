{{/*
What a pod of one profile is made of, as the worker makes it (drivers/kubernetes/file-pod.ts). Takes {root, profile}, image
with its registry. JSON, which CEL reads as it is.
*/}}
{{- define "pristine.enginePin" -}}
{{- $profile := .profile -}}
{{- $hostUsers := hasKey $profile "hostUsers" | ternary (toString $profile.hostUsers) "" -}}
{{- dict
  "image" (include "pristine.inRegistry" (dict "root" .root "ref" $profile.image))
  "command" ($profile.command | default list)
  "args" ($profile.args | default list)
  "env" (merge (dict) ($profile.env | default dict) (dict "HOME" "/tmp" "TMPDIR" "/tmp"))
  "runtimeClassName" ($profile.runtimeClassName | default "")
  "hostUsers" $hostUsers | toJson -}}
{{- end -}}

{{/* Pod images and engines of this release alone: {podImages, engines}, JSON. */}}
{{- define "pristine.pins" -}}
{{- $engines := list -}}
{{- range $name, $profile := .Values.profiles -}}
{{- $engines = append $engines (include "pristine.enginePin" (dict "root" $ "profile" $profile) | fromJson) -}}
{{- end -}}
{{- dict "podImages" (list (include "pristine.image" (dict "root" . "image" .Values.podImage))) "engines" (uniq $engines) | toJson -}}
{{- end -}}

{{/*
Pins of this release and of those before it, the newest first, as a JSON list: five that differ. While workers are replaced
those of the release before still make pods; after an upgrade that failed, those of the one before that too. Where nothing
can be looked up (helm template, GitOps) name them in filePods.admission.earlier.
*/}}
{{- define "pristine.pinsSoFar" -}}
{{- $pins := list (include "pristine.pins" . | fromJson) -}}
{{- $there := lookup "admissionregistration.k8s.io/v1" "ValidatingAdmissionPolicy" "" (include "pristine.filePodsClusterName" .) | default dict -}}
{{- with dig "metadata" "annotations" "pristine.dev/pins" "" $there -}}
{{- /* Charts before kept one, and no list. */ -}}
{{- $before := hasPrefix "[" . | ternary . (printf "[%s]" .) | fromJsonArray -}}
{{- $pins = concat $pins $before -}}
{{- end -}}
{{- uniq $pins | chunk 5 | first | toJson -}}
{{- end -}}

{{/* What the policy admits: those, and what the values name beside. */}}
{{- define "pristine.admittedPins" -}}
{{- $images := list -}}
{{- $engines := list -}}
{{- range include "pristine.pinsSoFar" . | fromJsonArray -}}
{{- $images = concat $images .podImages -}}
{{- $engines = concat $engines .engines -}}
{{- end -}}
{{- $earlier := .Values.filePods.admission.earlier -}}
{{- range $earlier.podImages -}}
{{- $images = append $images (include "pristine.inRegistry" (dict "root" $ "ref" .)) -}}
{{- end -}}
{{- range $earlier.profiles -}}
{{- $engines = append $engines (include "pristine.enginePin" (dict "root" $ "profile" .) | fromJson) -}}
{{- end -}}
{{- dict "podImages" (uniq $images) "engines" (uniq $engines) | toJson -}}
{{- end -}}

{{/* Of objects that have no namespace: that of the file pods belongs to one release only, whatever others are called. */}}
{{- define "pristine.filePodsClusterName" -}}
{{ include "pristine.filePodsNamespace" . }}.pristine.dev
{{- end -}}
