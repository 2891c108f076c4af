{{/* The index's store, Redis or etcd: variables. */}}
{{- define "pristine.indexEnv" -}}
{{- with .Values.index -}}
- name: PRISTINE_INDEX
  value: {{ .store }}
- name: PRISTINE_KEY_PREFIX
  value: {{ .keyPrefix | quote }}
- name: PRISTINE_BLOOM_CAPACITY
  value: {{ .bloom.capacity | int64 | quote }}
- name: PRISTINE_BLOOM_ERROR_RATE
  value: {{ .bloom.errorRate | toString | quote }}
- name: PRISTINE_LOCK_TTL_SECONDS
  value: {{ .lockTtlSeconds | int64 | quote }}
{{- end }}
{{- if eq .Values.index.store "redis" }}
{{ include "pristine.redisEnv" . }}
{{- else }}
{{ include "pristine.etcdEnv" . }}
{{- end }}
{{- end -}}

{{/* Secret and key of the password, ours or external. */}}
{{- define "pristine.redisSecret" -}}
{{- if .Values.redis.enabled -}}
{{- .Values.redis.auth.existingSecret | default (printf "%s-redis" (include "pristine.fullname" .)) -}}
{{- else -}}
{{- .Values.redis.external.auth.existingSecret -}}
{{- end -}}
{{- end -}}

{{- define "pristine.redisEnv" -}}
{{- $external := .Values.redis.external -}}
{{- $auth := $external.auth -}}
{{- $secret := include "pristine.redisSecret" . -}}
{{- $own := .Values.redis.enabled -}}
{{- $url := $own | ternary (printf "redis://%s-redis:6379" (include "pristine.fullname" .)) $external.url -}}
{{- if $url -}}
- name: REDIS_URL
  value: {{ $url | quote }}
{{- else -}}
- name: REDIS_SENTINELS
  value: {{ join "," $external.sentinels | quote }}
- name: REDIS_SENTINEL_MASTER
  value: {{ $external.sentinelMaster | quote }}
- name: REDIS_TLS
  value: {{ $external.sentinelTls | quote }}
{{- end }}
{{- if $secret }}
- name: REDIS_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ $secret }}, key: {{ $own | ternary .Values.redis.auth.key $auth.key }}}}
{{- end }}
{{- if not $own }}
- name: REDIS_CLUSTER
  value: {{ $external.cluster | quote }}
{{- if and $secret $auth.usernameKey }}
- name: REDIS_USERNAME
  valueFrom: {secretKeyRef: {name: {{ $secret }}, key: {{ $auth.usernameKey }}}}
{{- end }}
{{- if and $secret $auth.sentinelKey }}
- name: REDIS_SENTINEL_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ $secret }}, key: {{ $auth.sentinelKey }}}}
{{- end }}
{{- if and $secret $auth.sentinelUsernameKey }}
- name: REDIS_SENTINEL_USERNAME
  valueFrom: {secretKeyRef: {name: {{ $secret }}, key: {{ $auth.sentinelUsernameKey }}}}
{{- end }}
{{- with $external.tls }}
{{- if and .existingSecret .caKey }}
- name: REDIS_TLS_CA_FILE
  value: /etc/pristine/index/{{ .caKey }}
{{- end }}
{{- if and .existingSecret .certKey }}
- name: REDIS_TLS_CERT_FILE
  value: /etc/pristine/index/{{ .certKey }}
{{- end }}
{{- if and .existingSecret .keyKey }}
- name: REDIS_TLS_KEY_FILE
  value: /etc/pristine/index/{{ .keyKey }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "pristine.etcdEnv" -}}
{{- with .Values.etcd -}}
- name: ETCD_ENDPOINTS
  value: {{ join "," .endpoints | quote }}
{{- with .auth }}
{{- if .existingSecret }}
- name: ETCD_USER
  valueFrom: {secretKeyRef: {name: {{ .existingSecret }}, key: {{ .userKey }}}}
- name: ETCD_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ .existingSecret }}, key: {{ .passwordKey }}}}
{{- end }}
{{- end }}
{{- with .tls }}
{{- if and .existingSecret .caKey }}
- name: ETCD_CA_FILE
  value: /etc/pristine/index/{{ .caKey }}
{{- end }}
{{- if and .existingSecret .certKey }}
- name: ETCD_CERT_FILE
  value: /etc/pristine/index/{{ .certKey }}
{{- end }}
{{- if and .existingSecret .keyKey }}
- name: ETCD_KEY_FILE
  value: /etc/pristine/index/{{ .keyKey }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Secret with the certificates of the store in use; empty: none. */}}
{{- define "pristine.indexTlsSecret" -}}
{{- if eq .Values.index.store "etcd" -}}
{{- .Values.etcd.tls.existingSecret -}}
{{- else if not .Values.redis.enabled -}}
{{- .Values.redis.external.tls.existingSecret -}}
{{- end -}}
{{- end -}}

{{/* The object store: variables. */}}
{{- define "pristine.s3Env" -}}
{{- with .Values.s3 -}}
{{- if .endpoint -}}
- name: AWS_ENDPOINT_URL_S3
  value: {{ .endpoint | quote }}
{{ end -}}
- name: AWS_REGION
  value: {{ .region | quote }}
- name: PRISTINE_S3_PATH_STYLE
  value: {{ .pathStyle | quote }}
{{- with .credentials }}
{{- if .existingSecret }}
- name: AWS_ACCESS_KEY_ID
  valueFrom: {secretKeyRef: {name: {{ .existingSecret }}, key: {{ .accessKeyIdKey }}}}
- name: AWS_SECRET_ACCESS_KEY
  valueFrom: {secretKeyRef: {name: {{ .existingSecret }}, key: {{ .secretAccessKeyKey }}}}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}
