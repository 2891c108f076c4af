{{/* What values.schema.json can't say: keys that make no sense alone or together. Each message begins with the path. */}}
{{- define "pristine.checks" -}}
{{- $values := .Values -}}
{{- if not $values.temporal.address -}}
{{- fail "temporal.address: must be set to host:port of Temporal's frontend" -}}
{{- end -}}
{{- $tls := $values.temporal.tls -}}
{{- if ne (not $tls.certKey) (not $tls.keyKey) -}}
{{- fail "temporal.tls.keyKey: a certificate and its key come together: set certKey and keyKey, or empty both" -}}
{{- end -}}
{{- if eq $values.index.store "redis" -}}
{{- include "pristine.redisChecks" . -}}
{{- else -}}
{{- if not $values.etcd.endpoints -}}
{{- fail "etcd.endpoints: must be set, because index.store is etcd" -}}
{{- end -}}
{{- $schemes := dict -}}
{{- range $values.etcd.endpoints -}}{{- $_ := set $schemes (first (splitList ":" .)) true -}}{{- end -}}
{{- if gt (len $schemes) 1 -}}
{{- fail "etcd.endpoints: must be all http:// or all https://" -}}
{{- end -}}
{{- if ne (not $values.etcd.tls.certKey) (not $values.etcd.tls.keyKey) -}}
{{- fail "etcd.tls.keyKey: a certificate and its key come together: set certKey and keyKey, or empty both" -}}
{{- end -}}
{{- if and $values.etcd.tls.existingSecret (hasKey $schemes "http") -}}
{{- fail "etcd.tls.existingSecret: is of use only where etcd.endpoints are https://" -}}
{{- end -}}
{{- end -}}
{{- range $role := list "orchestrate" "files" "pods" -}}
{{- $worker := index $values.workers $role -}}
{{- with $worker.autoscaling -}}
{{- if and .enabled .keda.enabled -}}
{{- fail (printf "workers.%s.autoscaling.keda.enabled: KEDA makes a HorizontalPodAutoscaler itself: not together with autoscaling.enabled" $role) -}}
{{- end -}}
{{- if gt (int .minReplicas) (int .maxReplicas) -}}
{{- fail (printf "workers.%s.autoscaling.minReplicas: must not be above maxReplicas" $role) -}}
{{- end -}}
{{- if and .enabled (lt (int .minReplicas) 1) -}}
{{- fail (printf "workers.%s.autoscaling.minReplicas: at least 1, since only KEDA comes back from 0" $role) -}}
{{- end -}}
{{- end -}}
{{- with $worker.podDisruptionBudget -}}
{{- if eq (hasKey . "maxUnavailable") (hasKey . "minAvailable") -}}
{{- fail (printf "workers.%s.podDisruptionBudget: set one of maxUnavailable and minAvailable" $role) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- include "pristine.codecServerChecks" . -}}
{{- include "pristine.makeCurrentChecks" . -}}
{{- if and $values.workers.versioning.previous (not $values.workers.versioning.enabled) -}}
{{- fail "workers.versioning.previous: is of use only with workers.versioning.enabled" -}}
{{- end -}}
{{- $suffixes := dict -}}
{{- range (include "pristine.builds" . | fromJson).builds -}}
{{- if hasKey $suffixes .suffix -}}
{{- fail (printf "workers.versioning.previous: %s and %s can't be told apart by a name: give them other buildIds" (get $suffixes .suffix) .buildId) -}}
{{- end -}}
{{- $_ := set $suffixes .suffix .buildId -}}
{{- end -}}
{{- include "pristine.rootsChecks" . -}}
{{- $namespace := include "pristine.filePodsNamespace" . -}}
{{- if eq $namespace .Release.Namespace -}}
{{- fail "filePods.namespace.name: file pods live in a namespace of their own, not in the release's" -}}
{{- end -}}
{{- if gt (len $namespace) 63 -}}
{{- fail (printf "filePods.namespace.name: must be set, since %s is longer than 63 characters" $namespace) -}}
{{- end -}}
{{- $class := $values.filePods.priorityClass -}}
{{- if and $values.filePods.admission.enabled (not $class.create) (not $class.name) -}}
{{- fail "filePods.priorityClass.name: must be set, because create is false: the admission policy pins the name" -}}
{{- end -}}
{{- end -}}

{{/* Folders: the workers that have them also serve them. */}}
{{- define "pristine.rootsChecks" -}}
{{- $names := dict -}}
{{- $paths := dict -}}
{{- range $index, $root := .Values.files.roots -}}
{{- if hasKey $names $root.name -}}
{{- fail (printf "files.roots[%d].name: %s stands there twice" $index $root.name) -}}
{{- end -}}
{{- $path := clean $root.mountPath -}}
{{- if hasKey $paths $path -}}
{{- fail (printf "files.roots[%d].mountPath: %s stands there twice" $index $path) -}}
{{- end -}}
{{- if has $path (list "/" "/app" "/etc" "/tmp" "/usr") -}}
{{- fail (printf "files.roots[%d].mountPath: %s is the worker's own" $index $path) -}}
{{- end -}}
{{- $_ := set $names $root.name true -}}
{{- $_ := set $paths $path true -}}
{{- end -}}
{{- if .Values.files.roots -}}
{{- if eq (int .Values.files.server.port) 9464 -}}
{{- fail "files.server.port: 9464 is the port of health and metrics" -}}
{{- end -}}
{{- $files := .Values.workers.files -}}
{{- if lt (int (include "pristine.leastReplicas" $files)) 1 -}}
{{- fail (printf "workers.files.%s: at least 1 with files.roots: these workers serve file pods their files"
  (or $files.autoscaling.enabled $files.autoscaling.keda.enabled | ternary "autoscaling.minReplicas" "replicas")) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A version is made current once its workers poll every queue: all roles must run. */}}
{{- define "pristine.makeCurrentChecks" -}}
{{- $versioning := .Values.workers.versioning -}}
{{- if $versioning.makeCurrent.enabled -}}
{{- if not $versioning.enabled -}}
{{- fail "workers.versioning.makeCurrent.enabled: is of use only with workers.versioning.enabled" -}}
{{- end -}}
{{- range $role := list "orchestrate" "files" "pods" -}}
{{- $worker := index $.Values.workers $role -}}
{{- $scaled := or $worker.autoscaling.enabled $worker.autoscaling.keda.enabled -}}
{{- if and (not $scaled) (eq (int $worker.replicas) 0) -}}
{{- fail (printf "workers.%s.replicas: at least 1 with workers.versioning.makeCurrent: it waits for workers of every role" $role) -}}
{{- end -}}
{{- if and $scaled (eq (int $worker.autoscaling.minReplicas) 0) -}}
{{- fail (printf "workers.%s.autoscaling.minReplicas: at least 1 with workers.versioning.makeCurrent: it waits for workers of every role" $role) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "pristine.redisChecks" -}}
{{- $external := .Values.redis.external -}}
{{- if .Values.redis.enabled -}}
{{- if or $external.url $external.sentinels -}}
{{- fail "redis.external: is of use only with redis.enabled=false" -}}
{{- end -}}
{{- else if and (not $external.url) (not $external.sentinels) -}}
{{- fail "redis.external.url: must be set, or redis.external.sentinels, because redis.enabled is false" -}}
{{- else if and $external.url $external.sentinels -}}
{{- fail "redis.external.sentinels: not together with redis.external.url" -}}
{{- else if and $external.sentinels (not $external.sentinelMaster) -}}
{{- fail "redis.external.sentinelMaster: must be set, because redis.external.sentinels is" -}}
{{- else if and $external.sentinels $external.cluster -}}
{{- fail "redis.external.cluster: Sentinels watch no Cluster: give its nodes in redis.external.url" -}}
{{- else if ne (not $external.tls.certKey) (not $external.tls.keyKey) -}}
{{- fail "redis.external.tls.keyKey: a certificate and its key come together: set certKey and keyKey, or empty both" -}}
{{- else if and $external.tls.existingSecret (not (or (hasPrefix "rediss:" $external.url) $external.sentinelTls)) -}}
{{- fail "redis.external.tls.existingSecret: is of use only where redis.external.url begins with rediss://, or with sentinelTls" -}}
{{- end -}}
{{- end -}}
