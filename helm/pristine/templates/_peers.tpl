{{/* The port of host:port or a URL. Takes {address, default}. */}}
{{- define "pristine.portOf" -}}
{{- $port := regexFind ":[0-9]+(/|$|,)" .address | replace ":" "" | replace "/" "" | replace "," "" -}}
{{- $scheme := regexFind "^[a-z]+" .address -}}
{{- $port | default (get (dict "http" "80" "https" "443") $scheme) | default .default -}}
{{- end -}}

{{/* Ports that names are asked on. Takes more of them: what stands behind the Service of DNS. */}}
{{- define "pristine.dnsPorts" -}}
{{- range $port := prepend . 53 | uniq -}}
- {protocol: UDP, port: {{ int $port }}}
- {protocol: TCP, port: {{ int $port }}}
{{ end -}}
{{- end -}}

{{/*
One hole to the outside. Takes {peers, ports}; no peers: anywhere, on these ports. Most networks judge a connection by the
pod and port that a Service leads to, some by those of the Service: both have to be there where they differ.
*/}}
{{- define "pristine.hole" -}}
- ports:
    {{- range .ports | toStrings | uniq }}
    - {protocol: TCP, port: {{ int . }}}
    {{- end }}
  {{- with .peers }}
  to: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* The hole to Temporal. */}}
{{- define "pristine.temporalHole" -}}
{{- $port := include "pristine.portOf" (dict "address" .Values.temporal.address "default" "7233") -}}
{{- include "pristine.hole" (dict "peers" .Values.networkPolicy.temporal "ports" (prepend .Values.networkPolicy.temporalPorts $port)) -}}
{{- end -}}

{{/* The hole to where names are asked, of everything but file pods. */}}
{{- define "pristine.dnsHole" -}}
- ports: {{- include "pristine.dnsPorts" .Values.networkPolicy.dnsPorts | trim | nindent 4 }}
  {{- with .Values.networkPolicy.dns }}
  to: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
