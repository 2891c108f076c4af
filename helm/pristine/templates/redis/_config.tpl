{{/* Every write is in the append-only file within a second; nothing is ever evicted: a forgotten record runs a file again. */}}
{{- define "pristine.redisConfig" -}}
port 6379
dir /data
appendonly {{ .Values.redis.persistence.enabled | ternary "yes" "no" }}
appendfsync everysec
save ""
maxmemory {{ .Values.redis.maxmemory }}
maxmemory-policy noeviction
daemonize no
{{- range .Values.redis.modules }}
loadmodule {{ . }}
{{- end }}
{{ end -}}
