{{/*
The variables of a worker, each in its one place. Takes {root, role, build}. A role gets no secret that it has no use for:
`orchestrate` neither object store nor link keys; a token of the cluster only those that ask it for something.
*/}}
{{- define "pristine.workerEnv" -}}
{{- $root := .root -}}
{{- $role := .role -}}
{{- $values := $root.Values -}}
{{ include "pristine.temporalEnv" $root }}
{{ include "pristine.taskQueueEnv" $root }}
- name: PRISTINE_SEARCH_ATTRIBUTES
  value: {{ $values.temporal.searchAttributes.mode | quote }}
- name: PRISTINE_ROLES
  value: {{ $role }}
{{- if .build.buildId }}
{{ include "pristine.deploymentEnv" . }}
{{- end }}
{{- with include "pristine.codecKeysEnv" $root }}
{{ . }}
{{- end }}
{{ include "pristine.indexEnv" $root }}
- name: PRISTINE_PROFILES_FILE
  value: /etc/pristine/profiles/profiles.json
- name: PRISTINE_POD_IMAGE
  value: {{ include "pristine.image" (dict "root" $root "image" $values.podImage) | quote }}
- name: PRISTINE_NAMESPACE
  value: {{ include "pristine.filePodsNamespace" $root | quote }}
- name: PRISTINE_INSTANCE
  value: {{ include "pristine.instance" $root }}
{{ include "pristine.logLevelEnv" $root }}
- name: PRISTINE_HTTP_LISTEN
  value: "{{ $values.workers.listenAddress }}:9464"
- name: PRISTINE_HEARTBEAT_SECONDS
  value: {{ $values.workers.heartbeatSeconds | int64 | quote }}
- name: PRISTINE_SHUTDOWN_GRACE_SECONDS
  value: {{ $values.workers.shutdownGraceSeconds | int64 | quote }}
{{- if ne $role "orchestrate" }}
{{ include "pristine.s3Env" $root }}
- name: PRISTINE_SINGLE_WRITER
  value: {{ $values.workers.singleWriter | quote }}
{{- if $values.files.roots }}
{{ include "pristine.linkEnv" $root }}
{{- end }}
{{- end }}
{{- if eq $role "files" }}
- name: PRISTINE_MAX_CONCURRENT_FILES
  value: {{ $values.workers.files.maxConcurrent | int64 | quote }}
{{- if $values.files.roots }}
- name: PRISTINE_FILE_SERVER_LISTEN
  value: "{{ $values.workers.listenAddress }}:{{ $values.files.server.port }}"
- name: PRISTINE_MAX_UPLOAD_BYTES
  value: {{ $values.files.server.maxUploadBytes | int64 | quote }}
{{- end }}
{{- end }}
{{- if eq $role "pods" }}
- name: PRISTINE_MAX_CONCURRENT_PODS
  value: {{ $values.workers.pods.maxConcurrent | int64 | quote }}
- name: PRISTINE_SWEEP_SECONDS
  value: {{ $values.workers.pods.sweepSeconds | int64 | quote }}
{{- with $values.filePods.nodeSelector }}
{{- $labels := list }}
{{- range $key, $label := . }}{{ $labels = append $labels (printf "%s=%s" $key $label) }}{{ end }}
- name: PRISTINE_NODE_SELECTOR
  value: {{ join "," $labels | quote }}
{{- end }}
{{- with $values.filePods.tolerations }}
- name: PRISTINE_TOLERATIONS
  value: {{ toJson . | quote }}
{{- end }}
{{- with include "pristine.filePodsPriorityClass" $root }}
- name: PRISTINE_PRIORITY_CLASS
  value: {{ . }}
{{- end }}
{{- with $values.global.imagePullSecrets }}
{{- $names := list }}
{{- range . }}{{ $names = append $names .name }}{{ end }}
- name: PRISTINE_IMAGE_PULL_SECRETS
  value: {{ join "," $names | quote }}
{{- end }}
{{- end }}
{{- if and (ne $role "orchestrate") $values.workers.pods.kubeconfig.existingSecret }}
- name: KUBECONFIG
  value: /etc/pristine/kubeconfig/{{ $values.workers.pods.kubeconfig.key }}
{{- end }}
{{- with $values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Replicas that a role has at any time. Takes its values. */}}
{{- define "pristine.leastReplicas" -}}
{{- ternary .autoscaling.minReplicas .replicas (or .autoscaling.enabled .autoscaling.keda.enabled) | int -}}
{{- end -}}

{{- define "pristine.logLevelEnv" -}}
- name: PRISTINE_LOG_LEVEL
  value: {{ .Values.workers.logLevel }}
{{- end -}}

{{/* Which version of the workers: variables. Takes {root, build}. */}}
{{- define "pristine.deploymentEnv" -}}
- name: PRISTINE_DEPLOYMENT_NAME
  value: {{ include "pristine.fullname" .root }}
- name: PRISTINE_BUILD_ID
  value: {{ .build.buildId | quote }}
{{- end -}}

{{/* Who signs links and who honours them. */}}
{{- define "pristine.linkEnv" -}}
{{- $mounts := list -}}
{{- range .Values.files.roots -}}{{- $mounts = append $mounts .mountPath -}}{{- end -}}
- name: PRISTINE_FILE_ROOTS
  value: {{ join ":" $mounts | quote }}
- name: PRISTINE_FILE_SERVER_URL
  value: {{ .Values.files.server.url | default (printf "http://%s-files.%s.svc:%v" (include "pristine.fullname" .) .Release.Namespace (int64 .Values.files.server.port)) | quote }}
- name: PRISTINE_LINK_KEYS
  valueFrom: {secretKeyRef: {name: {{ include "pristine.linkKeysSecret" . }}, key: {{ .Values.files.linkKeys.key }}}}
{{- end -}}

{{- define "pristine.linkKeysSecret" -}}
{{- .Values.files.linkKeys.existingSecret | default (printf "%s-link-keys" (include "pristine.fullname" .)) -}}
{{- end -}}

{{/* Groups of whoever has the volumes, beside its own. */}}
{{- define "pristine.filesGroups" -}}
{{- with .Values.files.supplementalGroups -}}
supplementalGroups: {{ toJson . }}
{{ end -}}
{{- with .Values.files.fsGroup -}}
fsGroup: {{ int64 . }}
fsGroupChangePolicy: OnRootMismatch
{{- end -}}
{{- end -}}

{{/* Every container of ours. */}}
{{- define "pristine.containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
readOnlyRootFilesystem: true
{{- end -}}

