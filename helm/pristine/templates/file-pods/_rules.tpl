{{/* An object as CEL writes it: values of several types stand in one map only as dyn. Whole numbers of values are floats. */}}
{{- define "pristine.celObject" -}}
{{- $entries := list -}}
{{- range $key, $value := . -}}
{{- $entries = append $entries (printf "%s: dyn(%s)" (toJson $key) (kindIs "float64" $value | ternary (int64 $value) $value | toJson)) -}}
{{- end -}}
{ {{- join ", " $entries -}} }
{{- end -}}

{{/* The rules of the admission policy: {rule, message, expression}, YAML. Each stops something that no other does. */}}
{{- define "pristine.filePodRules" -}}
- rule: name
  message: the name must be pristine-<content>-<profile>-a<attempt>
  expression: object.metadata.name.matches("^pristine-[a-z2-7]{40}-[0-9a-f]{8}-a[0-9]{1,3}$")
- rule: metadata
  message: no owner, no finalizer, nothing but name, labels and annotations
  expression: >-
    dyn(object.metadata).all(k, k in ["name", "namespace", "labels", "annotations",
    "uid", "creationTimestamp", "generation", "managedFields"])
- rule: labels
  message: labels must be those of a file pod of this installation
  expression: >-
    object.metadata.?labels["pristine.dev/instance"].orValue("") == {{ include "pristine.instance" . | toJson }} &&
    object.metadata.?labels["pristine.dev/role"].orValue("") == "file" &&
    object.metadata.labels.all(k, k in ["app.kubernetes.io/name", "pristine.dev/instance", "pristine.dev/role",
    "pristine.dev/sha256", "pristine.dev/scan", "pristine.dev/profile"])
- rule: annotations
  message: no annotations but ours
  expression: object.metadata.?annotations.orValue({}).all(k, k.startsWith("pristine.dev/"))
- rule: spec
  message: >-
    nothing of the host (network, processes, names), no node, affinity, ephemeral containers, claims or other fields that file
    pods don't have
  expression: >-
    dyn(variables.spec).all(k, k in ["volumes", "initContainers", "containers", "restartPolicy",
    "terminationGracePeriodSeconds", "activeDeadlineSeconds", "dnsPolicy", "nodeSelector", "serviceAccountName",
    "serviceAccount", "automountServiceAccountToken", "securityContext", "imagePullSecrets", "schedulerName",
    "tolerations", "priorityClassName", "priority", "preemptionPolicy", "runtimeClassName", "overhead",
    "enableServiceLinks", "hostUsers"])
- rule: containers
  message: exactly the init containers fetch and engine and the container upload
  expression: >-
    variables.spec.?initContainers.orValue([]).map(c, c.name) == ["fetch", "engine"] &&
    variables.spec.containers.map(c, c.name) == ["upload"]
- rule: container-fields
  message: >-
    no ports, probes, hooks, terminals, devices or other fields that our containers don't have, and no last words over a file
    of the image
  expression: >-
    variables.containers.all(c, dyn(c).all(k, k in ["name", "image", "imagePullPolicy", "command", "args", "env",
    "resources", "volumeMounts", "securityContext", "terminationMessagePath", "terminationMessagePolicy"]) &&
    c.?terminationMessagePath.orValue("/dev/termination-log") == "/dev/termination-log")
- rule: programs
  message: fetch and upload must be the programs of the pod image
  expression: >-
    variables.fetch.image in variables.podImages && !has(variables.fetch.command) &&
    variables.fetch.?args.orValue([]) == ["fetch"] &&
    variables.upload.image in variables.podImages && !has(variables.upload.command) &&
    variables.upload.?args.orValue([]) == ["upload"]
- rule: profile
  message: image, command, arguments and environment of the engine, runtime class and hostUsers must be those of one profile
  expression: >-
    variables.engines.exists(p, p.image == variables.engine.image &&
    p.command == variables.engine.?command.orValue([]) && p.args == variables.engine.?args.orValue([]) &&
    variables.engine.?env.orValue([]).all(e, e.name in p.env && p.env[e.name] == e.?value.orValue("")) &&
    p.env.all(k, variables.engine.?env.orValue([]).exists(e, e.name == k)) &&
    p.runtimeClassName == variables.spec.?runtimeClassName.orValue("") &&
    p.hostUsers == (has(variables.spec.hostUsers) ? string(variables.spec.hostUsers) : ""))
- rule: variables
  message: fetch and upload get their own variables only
  expression: >-
    variables.fetch.?env.orValue([]).all(e, e.name in ["PRISTINE_GET_URL", "PRISTINE_SHA256", "PRISTINE_SIZE"]) &&
    variables.upload.?env.orValue([]).all(e, e.name in ["PRISTINE_PUT_REBUILT", "PRISTINE_PUT_REPORT_XML",
    "PRISTINE_PUT_REPORT_JSON", "PRISTINE_MAX_REBUILT_BYTES", "PRISTINE_MAX_REPORT_BYTES"])
- rule: literals
  message: variables have values, and take none from Secrets, ConfigMaps or the pod
  expression: >-
    variables.containers.all(c, c.?env.orValue([]).all(e, dyn(e).all(k, k in ["name", "value"])))
- rule: volumes
  message: no volumes but emptyDirs of limited size
  expression: >-
    variables.spec.?volumes.orValue([]).all(v, dyn(v).all(k, k in ["name", "emptyDir"]) && has(v.emptyDir) &&
    has(v.emptyDir.sizeLimit))
- rule: mounts
  message: fetch has `in`, the engine reads `in` and writes `out` and /tmp, upload reads `out`
  expression: >-
    [variables.fetch, variables.engine, variables.upload].map(c, c.?volumeMounts.orValue([]).map(m,
    m.name + ":" + m.mountPath + (m.?readOnly.orValue(false) ? ":ro" : ""))) ==
    [["in:/pristine/in"], ["in:/pristine/in:ro", "out:/pristine/out", "tmp:/tmp"], ["out:/pristine/out:ro"]] &&
    variables.containers.all(c, c.?volumeMounts.orValue([]).all(m, dyn(m).all(k, k in ["name", "mountPath", "readOnly"])))
- rule: pod-security
  message: user 65532, not root, seccomp RuntimeDefault
  expression: >-
    dyn(variables.spec.?securityContext.orValue({})) == dyn({"runAsNonRoot": dyn(true), "runAsUser": dyn(65532),
    "runAsGroup": dyn(65532), "seccompProfile": dyn({"type": "RuntimeDefault"})})
- rule: container-security
  message: read-only root, no capability, no way to more privileges
  expression: >-
    variables.containers.all(c, dyn(c.?securityContext.orValue({})) == dyn({"allowPrivilegeEscalation": dyn(false),
    "readOnlyRootFilesystem": dyn(true), "capabilities": dyn({"drop": ["ALL"]})}))
- rule: limits
  message: every container has limits of cpu, memory and ephemeral-storage, and asks for nothing else
  expression: >-
    variables.containers.all(c, dyn(c.resources).all(k, k in ["limits", "requests"]) &&
    ["cpu", "memory", "ephemeral-storage"].all(r, r in c.resources.?limits.orValue({})) &&
    c.resources.limits.all(r, r in ["cpu", "memory", "ephemeral-storage"]))
- rule: restart
  message: restartPolicy must be Never
  expression: variables.spec.restartPolicy == "Never"
- rule: deadline
  message: activeDeadlineSeconds must be there and not above filePods.maxRunSeconds
  expression: has(variables.spec.activeDeadlineSeconds) && variables.spec.activeDeadlineSeconds <= {{ int64 .Values.filePods.maxRunSeconds }}
- rule: grace
  message: terminationGracePeriodSeconds must not be above 30
  expression: variables.spec.terminationGracePeriodSeconds <= 30
- rule: token
  message: the default service account, and no token of it
  expression: >-
    variables.spec.?automountServiceAccountToken.orValue(true) == false &&
    variables.spec.?serviceAccountName.orValue("default") == "default"
- rule: service-links
  message: enableServiceLinks must be false
  expression: variables.spec.?enableServiceLinks.orValue(true) == false
- rule: scheduling
  message: on the nodes of filePods.nodeSelector and no choice among them, by the cluster's own scheduler, with no tolerations but filePods.tolerations
  expression: >-
    variables.spec.schedulerName == "default-scheduler" &&
    variables.nodeSelector.all(k, variables.spec.?nodeSelector[k].orValue("") == variables.nodeSelector[k]) &&
    (has(variables.spec.runtimeClassName) || variables.spec.?nodeSelector.orValue({}).all(k, k in variables.nodeSelector)) &&
    (has(variables.spec.runtimeClassName) || variables.spec.?tolerations.orValue([]).all(t, dyn(t) in variables.tolerations ||
    (t.?key.orValue("").startsWith("node.kubernetes.io/") && t.?effect.orValue("") == "NoExecute" && has(t.tolerationSeconds)) ||
    (t.?key.orValue("") == "node.kubernetes.io/memory-pressure" && t.?effect.orValue("") == "NoSchedule")))
- rule: priority
  message: priorityClassName must be that of file pods
  expression: variables.spec.?priorityClassName.orValue("") == {{ include "pristine.filePodsPriorityClass" . | toJson }}
{{- end -}}
