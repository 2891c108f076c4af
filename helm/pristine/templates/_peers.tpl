{{/* The port of host:port or a URL. Takes {address, default}. */}}
{{- define "pristine.portOf" -}}
{{- $port := regexFind ":[0-9]+(/|$|,)" .address | replace ":" "" | replace "/" "" | replace "," "" -}}
{{- $scheme := regexFind "^[a-z]+" .address -}}
{{- $port | default (get (dict "http" "80" "https" "443") $scheme) | default .default -}}
{{- end -}}

{{/* One hole to the outside. Takes {peers, ports}; no peers: anywhere, on these ports. */}}
{{- define "pristine.hole" -}}
- ports:
    {{- range uniq .ports }}
    - {protocol: TCP, port: {{ int . }}}
    {{- end }}
  {{- with .peers }}
  to: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
