{{/* The keys that payloads are encrypted with: a variable, of workers and of the codec server. */}}
{{- define "pristine.codecKeysEnv" -}}
{{- with .Values.temporal.codec -}}
{{- if .existingSecret -}}
- name: PRISTINE_CODEC_KEYS
  valueFrom: {secretKeyRef: {name: {{ .existingSecret }}, key: {{ .key }}}}
{{- end }}
{{- end }}
{{- end -}}

{{/* The variables of the codec server. */}}
{{- define "pristine.codecServerEnv" -}}
{{- $server := .Values.codecServer -}}
{{ include "pristine.temporalNamespaceEnv" . }}
{{ include "pristine.codecKeysEnv" . }}
{{ include "pristine.logLevelEnv" . }}
- name: PRISTINE_CODEC_SERVER_LISTEN
  value: "{{ .Values.workers.listenAddress }}:{{ int64 $server.port }}"
{{- with $server.origins }}
- name: PRISTINE_CODEC_SERVER_ORIGINS
  value: {{ join "," . | quote }}
{{- end }}
{{- with $server.token }}
{{- if .existingSecret }}
- name: PRISTINE_CODEC_SERVER_TOKEN
  valueFrom: {secretKeyRef: {name: {{ .existingSecret }}, key: {{ .key }}}}
{{- end }}
{{- end }}
{{- with $server.jwt }}
{{- if .jwksUrl }}
- name: PRISTINE_CODEC_SERVER_JWKS_URL
  value: {{ .jwksUrl | quote }}
- name: PRISTINE_CODEC_SERVER_JWT_ISSUER
  value: {{ .issuer | quote }}
- name: PRISTINE_CODEC_SERVER_JWT_AUDIENCE
  value: {{ .audience | quote }}
{{- end }}
{{- if .claim }}
- name: PRISTINE_CODEC_SERVER_JWT_CLAIM
  value: {{ .claim | quote }}
{{- end }}
{{- end }}
{{- with $server.tls }}
{{- if .existingSecret }}
- name: PRISTINE_CODEC_SERVER_TLS_CERT_FILE
  value: /etc/pristine/tls/{{ .certKey }}
- name: PRISTINE_CODEC_SERVER_TLS_KEY_FILE
  value: /etc/pristine/tls/{{ .keyKey }}
{{- end }}
{{- end }}
{{- end -}}

{{/* What values.schema.json can't say of the codec server: whoever it answers reads everything. */}}
{{- define "pristine.codecServerChecks" -}}
{{- $server := .Values.codecServer -}}
{{- $jwt := $server.jwt -}}
{{- range $key := list "jwksUrl" "issuer" "audience" -}}
{{- if and (or $jwt.jwksUrl $jwt.issuer $jwt.audience $jwt.claim) (not (get $jwt $key)) -}}
{{- fail (printf "codecServer.jwt.%s: jwksUrl, issuer and audience come together: a token for others is worth nothing here" $key) -}}
{{- end -}}
{{- end -}}
{{- if $server.enabled -}}
{{- if not .Values.temporal.codec.existingSecret -}}
{{- fail "codecServer.enabled: needs temporal.codec.existingSecret: without keys nothing is encrypted, and nothing to decrypt" -}}
{{- end -}}
{{- if not (or $server.token.existingSecret $jwt.jwksUrl) -}}
{{- fail "codecServer.token.existingSecret: must be set, or codecServer.jwt: whoever the codec server answers reads everything" -}}
{{- end -}}
{{- end -}}
{{- $budget := $server.podDisruptionBudget -}}
{{- if eq (hasKey $budget "maxUnavailable") (hasKey $budget "minAvailable") -}}
{{- fail "codecServer.podDisruptionBudget: set one of maxUnavailable and minAvailable" -}}
{{- end -}}
{{- end -}}
