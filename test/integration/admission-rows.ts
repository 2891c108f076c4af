/** What a stolen token might try: a file pod with one thing changed, and the rule that stops that and nothing else does. */
import {
  container,
  fields,
  inside,
  metadata,
  type Row,
  spec,
  specOf,
  variable,
  volume,
} from './admission-row.ts';

const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'a', uid: 'b' };
const http = { httpGet: { path: '/', port: 80 } };
const term = { matchExpressions: [{ key: 'a', operator: 'Exists' }] };

export const ROWS: readonly Row[] = [
  metadata('name', 'another name', { name: 'pristine-miner' }),
  metadata('metadata', 'an owner', { ownerReferences: [owner] }),
  metadata('metadata', 'a finalizer, so that it stays', { finalizers: ['example.com/stay'] }),
  ...['pristine.dev/instance', 'app.kubernetes.io/instance'].map(
    (key): Row => ({
      rule: 'labels',
      name: `another ${key}`,
      change: (pod) => Object.assign(pod.metadata?.labels ?? {}, { [key]: 'other' }),
    }),
  ),
  {
    rule: 'labels',
    name: 'no role, out of reach of network policies',
    change: (pod) => delete pod.metadata?.labels?.['pristine.dev/role'],
  },
  {
    rule: 'annotations',
    name: 'an annotation that something else of the cluster acts on',
    change: (pod) => Object.assign(pod.metadata?.annotations ?? {}, { 'sidecar.istio.io/inject': 'true' }),
  },

  spec('spec', "the host's network", { hostNetwork: true }, true),
  spec('spec', "the host's processes", { hostPID: true }, true),
  spec('spec', "the host's IPC", { hostIPC: true }, true),
  spec('spec', 'one process tree', { shareProcessNamespace: true }),
  spec('spec', 'a node of its choice', { nodeName: 'pristine' }),
  spec('spec', 'host aliases', { hostAliases: [{ ip: '198.18.0.1', hostnames: ['a'] }] }),
  spec('spec', 'name servers of its choice', {
    dnsPolicy: 'None',
    dnsConfig: { nameservers: ['198.18.0.1'] },
  }),
  spec('spec', 'a node by affinity', {
    affinity: {
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } },
    },
  }),
  spec('spec', 'a host name', { hostname: 'a', subdomain: 'b' }),

  {
    rule: 'containers',
    name: 'one more container',
    change: (pod) => {
      const { command: _, env: __, volumeMounts: ___, ...rest } = container(pod, 'engine');
      specOf(pod).containers.push({ ...rest, name: 'miner' });
    },
  },
  {
    rule: 'containers',
    name: 'one more init container',
    change: (pod) => {
      const { command: _, env: __, volumeMounts: ___, ...rest } = container(pod, 'engine');
      specOf(pod).initContainers?.push({ ...rest, name: 'miner' });
    },
  },
  {
    rule: 'containers',
    name: 'another order: upload before the engine',
    change: (pod) => {
      specOf(pod).initContainers?.reverse();
    },
  },
  fields('container-fields', 'a port', 'engine', { ports: [{ containerPort: 8080 }] }),
  fields('container-fields', 'a hook by which the kubelet asks for a URL', 'upload', {
    lifecycle: { postStart: http },
  }),
  fields('container-fields', 'a probe by which the kubelet asks for a URL', 'upload', {
    livenessProbe: http,
  }),
  fields('container-fields', 'all of a Secret as variables', 'engine', {
    envFrom: [{ secretRef: { name: 'pull' } }],
  }),
  fields('container-fields', 'an engine that runs beside the uploader', 'engine', {
    restartPolicy: 'Always',
  }),
  fields('container-fields', 'a terminal', 'engine', { stdin: true, tty: true }),
  // The kubelet mounts an empty file there.
  fields('container-fields', 'an empty file over the engine’s policy', 'engine', {
    terminationMessagePath: '/policies/strict.xml',
  }),
  fields('container-fields', 'an empty file over the authorities that fetch trusts', 'fetch', {
    terminationMessagePath: '/etc/ssl/certs/ca-certificates.crt',
  }),

  fields('programs', 'another image for fetch', 'fetch', { image: 'evil/miner:1' }),
  fields('programs', 'the engine’s image for upload', 'upload', { image: 'pristine/engine:1' }),
  fields('programs', 'another command for fetch', 'fetch', { command: ['/bin/sh'] }),
  fields('programs', 'other arguments for upload', 'upload', { args: ['-e', 'evil()'] }),

  fields('profile', 'another engine', 'engine', { image: 'evil/miner:1' }),
  fields('profile', 'the same engine, another tag', 'engine', { image: 'pristine/engine:latest' }),
  fields('profile', 'another command for the engine', 'engine', { command: ['/bin/sh', '-c', 'mine'] }),
  fields('profile', 'other arguments for the engine', 'engine', { args: ['--no-sandbox'] }),
  variable('profile', 'a link for the engine', 'engine', { name: 'LINK', value: 'https://evil.example' }),
  variable('profile', 'another value of a profile’s variable', 'engine', { name: 'TMPDIR', value: '/else' }),
  inside('profile', 'a profile’s variable left out', 'engine', (one) => {
    one.env = one.env?.filter(({ name }) => name !== 'TMPDIR') ?? [];
  }),
  inside('profile', 'no variables at all', 'engine', (one) => {
    delete one.env;
  }),
  spec('profile', 'user namespaces switched off by name', { hostUsers: true }),

  variable('variables', 'NODE_OPTIONS for fetch', 'fetch', {
    name: 'NODE_OPTIONS',
    value: '--import=data:text/javascript,evil()',
  }),
  variable('variables', 'a variable more for upload', 'upload', { name: 'NODE_EXTRA_CA_CERTS', value: '/a' }),
  inside('literals', 'a link out of a Secret', 'fetch', (one) => {
    one.env = [{ name: 'PRISTINE_GET_URL', valueFrom: { secretKeyRef: { name: 'pull', key: 'a' } } }];
  }),

  volume('a folder of the host', { hostPath: { path: '/' } }, true),
  volume('a Secret', { secret: { secretName: 'pull' } }),
  volume('a token', { projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } }),
  volume('a ConfigMap', { configMap: { name: 'kube-root-ca.crt' } }),
  volume('a volume that stays', { persistentVolumeClaim: { claimName: 'a' } }),
  volume('an emptyDir without bounds', { emptyDir: {} }),
  inside('mounts', 'the original in reach of upload', 'upload', (one) => {
    one.volumeMounts?.push({ name: 'in', mountPath: '/pristine/in', readOnly: true });
  }),
  inside('mounts', 'an original that the engine can change', 'engine', (one) => {
    for (const mount of one.volumeMounts ?? []) delete mount.readOnly;
  }),
  inside('mounts', 'a folder of the program replaced', 'upload', (one) => {
    for (const mount of one.volumeMounts ?? []) mount.mountPath = '/usr/local/bin';
  }),
  inside('mounts', 'a path within a volume', 'fetch', (one) => {
    for (const mount of one.volumeMounts ?? []) mount.subPath = 'a';
  }),

  spec('pod-security', 'root', { securityContext: { runAsUser: 0 } }, true),
  spec('pod-security', 'another user', {
    securityContext: {
      ...{ runAsNonRoot: true, runAsUser: 1000, runAsGroup: 65532 },
      seccompProfile: { type: 'RuntimeDefault' },
    },
  }),
  spec(
    'pod-security',
    'no seccomp',
    { securityContext: { runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532 } },
    true,
  ),
  spec('pod-security', 'a group of the node’s', {
    securityContext: {
      ...{ runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532, supplementalGroups: [0] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
  }),
  fields('container-security', 'privileged', 'engine', { securityContext: { privileged: true } }, true),
  ...(['fetch', 'engine', 'upload'] as const).flatMap((of) => [
    inside('container-security', `${of} with a root that it can write`, of, ({ securityContext = {} }) => {
      securityContext.readOnlyRootFilesystem = false;
    }),
    inside('container-security', `${of} with a capability`, of, ({ securityContext = {} }) => {
      securityContext.capabilities = { drop: ['ALL'], add: ['NET_BIND_SERVICE'] };
    }),
  ]),
  inside(
    'container-security',
    'a way to more privileges',
    'engine',
    ({ securityContext = {} }) => {
      securityContext.allowPrivilegeEscalation = true;
    },
    true,
  ),

  // The LimitRange sees these too.
  ...['cpu', 'memory', 'ephemeral-storage'].map((resource) =>
    inside(
      'limits',
      `no limit of ${resource}`,
      'engine',
      ({ resources = {} }) => {
        delete resources.limits?.[resource];
        delete resources.requests?.[resource];
      },
      true,
    ),
  ),
  inside('limits', 'a device', 'engine', ({ resources = {} }) => {
    Object.assign(resources.limits ?? {}, { 'example.com/gpu': '1' });
    Object.assign(resources.requests ?? {}, { 'example.com/gpu': '1' });
  }),
  spec('restart', 'starts again and again', { restartPolicy: 'OnFailure' }),
  {
    rule: 'deadline',
    name: 'no deadline',
    change: (pod) => {
      delete specOf(pod).activeDeadlineSeconds;
    },
  },
  spec('deadline', 'a deadline of a week', { activeDeadlineSeconds: 604_800 }),
  spec('grace', 'an hour to end', { terminationGracePeriodSeconds: 3600 }),
  // The volume that the token comes in would be refused as well.
  spec('token', 'its service account’s token', { automountServiceAccountToken: true }, true),
  {
    rule: 'token',
    name: 'nothing said about a token',
    also: true,
    change: (pod) => {
      delete specOf(pod).automountServiceAccountToken;
    },
  },
  spec('token', 'another service account', { serviceAccountName: 'other' }),
  spec('service-links', 'addresses of services', { enableServiceLinks: true }),
  spec('scheduling', 'any node', { nodeSelector: {} }),
  {
    rule: 'scheduling',
    name: 'one node by its label',
    change: (pod) => {
      specOf(pod).nodeSelector = { ...specOf(pod).nodeSelector, 'kubernetes.io/hostname': 'pristine' };
    },
  },
  spec('scheduling', 'nodes that are kept for the control plane', {
    tolerations: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'Exists' }],
  }),
  spec('scheduling', 'all taints', { tolerations: [{ operator: 'Exists' }] }),
  spec('scheduling', 'a scheduler of its own', { schedulerName: 'other' }),
  spec('priority', 'before all that runs', { priorityClassName: 'system-node-critical' }),
  {
    rule: 'priority',
    name: 'no class',
    change: (pod) => {
      delete specOf(pod).priorityClassName;
    },
  },
];
