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
What the policy admits: this release's, what the values name beside, and what the revision before this one had of its own:
its workers still make pods while they are replaced. Where nothing can be looked up (helm template, GitOps) name them in
filePods.admission.earlier.
*/}}
{{- define "pristine.admittedPins" -}}
{{- $own := include "pristine.pins" . | fromJson -}}
{{- $earlier := .Values.filePods.admission.earlier -}}
{{- $images := concat $own.podImages $earlier.podImages -}}
{{- $engines := $own.engines -}}
{{- range $earlier.profiles -}}
{{- $engines = append $engines (include "pristine.enginePin" (dict "root" $ "profile" .) | fromJson) -}}
{{- end -}}
{{- $there := lookup "admissionregistration.k8s.io/v1" "ValidatingAdmissionPolicy" "" (include "pristine.filePodsClusterName" .) | default dict -}}
{{- with dig "metadata" "annotations" "pristine.dev/pins" "" $there -}}
{{- $before := fromJson . -}}
{{- $images = concat $images $before.podImages -}}
{{- $engines = concat $engines $before.engines -}}
{{- end -}}
{{- dict "podImages" (uniq $images) "engines" (uniq $engines) | toJson -}}
{{- end -}}

{{/* Of objects that have no namespace: that of the file pods belongs to one release only, whatever others are called. */}}
{{- define "pristine.filePodsClusterName" -}}
{{ include "pristine.filePodsNamespace" . }}.pristine.dev
{{- end -}}
