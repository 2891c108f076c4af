{{/*
A value that is made once: what the Secret holds in the cluster stays, else a new random one, base64. Takes {root, name, key,
prefix}. Where nothing can be looked up (helm template, GitOps) each rendering makes another: name an existingSecret there.
*/}}
{{- define "pristine.madeOnce" -}}
{{- $there := lookup "v1" "Secret" .root.Release.Namespace .name | default dict -}}
{{- $data := $there.data | default dict -}}
{{- index $data .key | default (printf "%s%s" (.prefix | default "") (randAlphaNum 48) | b64enc) -}}
{{- end -}}
