{{/* A pod of `helm test`: the `pristine` command as the workers that make pods have it. Takes {root, component, args, doctor}. */}}
{{- define "pristine.testPod" -}}
{{- $root := .root -}}
{{- $values := $root.Values -}}
{{- $context := dict "root" $root "component" .component "role" "pods" "build" (dict "buildId" "") -}}
{{- $kubeconfig := $values.workers.pods.kubeconfig.existingSecret -}}
{{- $roots := ternary $values.files.roots list (and .doctor (hasPrefix "file:" $values.tests.destination)) -}}
apiVersion: v1
kind: Pod
metadata:
  name: {{ include "pristine.fullname" $root }}-{{ .component }}
  labels: {{- include "pristine.labels" $context | nindent 4 }}
  annotations:
    helm.sh/hook: test
    helm.sh/hook-weight: {{ ternary "0" "1" .doctor | quote }}
    # What it said is seen without being asked for, and, line by line, with `helm test --logs`. One that failed stays.
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
    helm.sh/hook-output-log-policy: hook-succeeded,hook-failed
spec:
  restartPolicy: Never
  activeDeadlineSeconds: 900
  # With the token of the workers that make pods: what it can't do, they can't.
  serviceAccountName: {{ include "pristine.serviceAccountName" $context }}
  automountServiceAccountToken: {{ and .doctor (not $kubeconfig) }}
  enableServiceLinks: false
  {{- with $values.global.imagePullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: {{ $roots | empty | ternary 65532 (int64 $values.files.runAsUser) }}
    runAsGroup: {{ $roots | empty | ternary 65532 (int64 $values.files.runAsGroup) }}
    {{- if $roots }}
    {{- include "pristine.filesGroups" $root | nindent 4 }}
    {{- end }}
    seccompProfile: {type: RuntimeDefault}
  containers:
    - name: pristine
      image: {{ include "pristine.image" (dict "root" $root "image" $values.image) | quote }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      command: [/usr/local/bin/node, /app/cli/main.ts]
      args: {{ toJson .args }}
      env:
        - name: POD_IP
          valueFrom: {fieldRef: {fieldPath: status.podIP}}
        {{- include "pristine.workerEnv" $context | nindent 8 }}
      resources:
        requests: {cpu: 50m, memory: 128Mi}
        limits: {memory: 512Mi}
      securityContext: {{- include "pristine.containerSecurity" $root | nindent 8 }}
      volumeMounts:
        - {name: tmp, mountPath: /tmp}
        - {name: profiles, mountPath: /etc/pristine/profiles, readOnly: true}
        {{- with include "pristine.temporalMounts" $root }}
        {{- . | nindent 8 }}
        {{- end }}
        {{- if include "pristine.indexTlsSecret" $root }}
        - {name: index, mountPath: /etc/pristine/index, readOnly: true}
        {{- end }}
        {{- if $kubeconfig }}
        - {name: kubeconfig, mountPath: /etc/pristine/kubeconfig, readOnly: true}
        {{- end }}
        {{- range $roots }}
        - {name: root-{{ .name }}, mountPath: {{ .mountPath | quote }}, readOnly: {{ .readOnly | default false }}}
        {{- end }}
  volumes:
    - name: tmp
      emptyDir: {sizeLimit: 128Mi}
    - name: profiles
      configMap: {name: {{ include "pristine.fullname" $root }}-profiles}
    {{- with include "pristine.temporalVolumes" $root }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- with include "pristine.indexTlsSecret" $root }}
    - name: index
      secret: {secretName: {{ . }}}
    {{- end }}
    {{- with $kubeconfig }}
    - name: kubeconfig
      secret: {secretName: {{ . }}}
    {{- end }}
    {{- range $roots }}
    - name: root-{{ .name }}
      {{- toYaml .volume | nindent 6 }}
    {{- end }}
{{- end -}}
