{{/* What every program needs to reach Temporal: variables. */}}
{{- define "pristine.temporalEnv" -}}
{{- with .Values.temporal -}}
- name: TEMPORAL_ADDRESS
  value: {{ .address | quote }}
{{ include "pristine.temporalNamespaceEnv" $ }}
{{- with .apiKey }}
{{- if .existingSecret }}
- name: TEMPORAL_API_KEY
  valueFrom: {secretKeyRef: {name: {{ .existingSecret }}, key: {{ .key }}}}
{{- end }}
{{- end }}
{{- with .tls }}
{{- if and .existingSecret .caKey }}
- name: TEMPORAL_TLS_CA_FILE
  value: /etc/pristine/temporal/{{ .caKey }}
{{- end }}
{{- if and .existingSecret .certKey }}
- name: TEMPORAL_TLS_CERT_FILE
  value: /etc/pristine/temporal/{{ .certKey }}
{{- end }}
{{- if and .existingSecret .keyKey }}
- name: TEMPORAL_TLS_KEY_FILE
  value: /etc/pristine/temporal/{{ .keyKey }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "pristine.temporalNamespaceEnv" -}}
- name: TEMPORAL_NAMESPACE
  value: {{ .Values.temporal.namespace | quote }}
{{- end -}}

{{- define "pristine.taskQueueEnv" -}}
- name: PRISTINE_TASK_QUEUE
  value: {{ .Values.temporal.taskQueue | quote }}
{{- end -}}

{{/* The same: volumes, and where they are mounted. */}}
{{- define "pristine.temporalVolumes" -}}
{{- with .Values.temporal.tls.existingSecret -}}
- name: temporal
  secret: {secretName: {{ . }}}
{{- end -}}
{{- end -}}

{{- define "pristine.temporalMounts" -}}
{{- if .Values.temporal.tls.existingSecret -}}
- {name: temporal, mountPath: /etc/pristine/temporal, readOnly: true}
{{- end -}}
{{- end -}}
