{{/* The profiles file. Whole numbers of values arrive as floats, which JSON would print as 1e+09. */}}
{{- define "pristine.profiles" -}}
{{- $profiles := dict -}}
{{- range $name, $given := .Values.profiles -}}
{{- $profile := deepCopy $given -}}
{{- range $key, $value := $profile -}}
{{- if kindIs "float64" $value -}}{{- $_ := set $profile $key (int64 $value) -}}{{- end -}}
{{- end -}}
{{- $_ := set $profile "image" (include "pristine.inRegistry" (dict "root" $ "ref" $given.image)) -}}
{{- $_ := set $profiles $name $profile -}}
{{- end -}}
{{- toJson $profiles -}}
{{- end -}}
