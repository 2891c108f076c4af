/** The chart's part for file pods on the real API server, without workers: namespaces of a test's own, and its tokens. */
import { randomBytes } from 'node:crypto';
import { KubeConfig, type V1Pod } from '@kubernetes/client-node';
import { filePodManifest } from '../../drivers/kubernetes/file-pod.ts';
import { KubeApi, type KubeRequest } from '../../drivers/kubernetes/kube-api.ts';
import { KubeError } from '../../drivers/kubernetes/kube-error.ts';
import { podName } from '../../drivers/kubernetes/pod-name.ts';
import { type Profile, profileFingerprint, profileSchema } from '../../drivers/profile.ts';
import { stackVariable } from '../contract/stack.ts';
import { until } from '../contract/until.ts';
import { chart, type KubeObject, RELEASE, readObjects, rendered } from '../unit/helm/render-chart.ts';
import { tool } from './kubectl.ts';

const SHA256 = 'a5'.repeat(32);
/** Components of the chart that this world has. */
const PARTS = ['file-pods', 'pods', 'files'];
const KINDS = [
  'Namespace',
  'ServiceAccount',
  'Role',
  'RoleBinding',
  'ResourceQuota',
  'LimitRange',
  'PriorityClass',
  'NetworkPolicy',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
];

export type FilePodWorld = Awaited<ReturnType<typeof filePodWorld>>;

/** `values` are the chart's, without Temporal's address. Everything is there and active when it resolves. */
export async function filePodWorld(values: Record<string, unknown>) {
  const workers = `world-${randomBytes(4).toString('hex')}`;
  const namespace = `${workers}-files`;
  const objects = ofFilePods(rendered(withTemporal(values), workers));
  await tool('kubectl', ['create', 'namespace', workers]);
  await apply(objects, workers);

  const admin = new KubeConfig();
  admin.loadFromFile(stackVariable('KUBECONFIG'));
  const token = async (role: 'pods' | 'files') =>
    (await tool('kubectl', ['-n', workers, 'create', 'token', `r-pristine-${role}`])).trim();
  const worker = withToken(admin, await token('pods'));
  const files = withToken(admin, await token('files'));
  const apis = [admin, worker, files].map((config) => new KubeApi(config));
  const [adminApi, workerApi, filesApi] = apis as [KubeApi, KubeApi, KubeApi];

  const pods = `/api/v1/namespaces/${namespace}/pods`;
  /** Nothing is stored and nothing runs: all of admission is asked. */
  const tryPod = (pod: V1Pod, api = workerApi) =>
    answer(api, {
      method: 'POST',
      path: pods,
      query: { dryRun: 'All', fieldValidation: 'Strict' },
      body: pod,
    });

  // A new namespace lacks its service account for a moment, and the API server a policy that was just made.
  await until(async () => {
    const bare = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bare' }, spec: bareSpec };
    return /ValidatingAdmissionPolicy/.test(await tryPod(bare, adminApi));
  });

  return {
    workers,
    namespace,
    objects,
    admin: adminApi,
    worker: workerApi,
    files: filesApi,
    workerConfig: worker,
    tryPod,
    /** As the worker of this release would make it. */
    filePod: (profile: Profile, more: FilePodMore = {}) => filePod(namespace, profile, more),
    /** What a `helm upgrade` with these values would make of it, by a Helm that sees what is there. */
    async upgrade(changed: object): Promise<void> {
      const args = [
        'template',
        RELEASE,
        chart,
        '--namespace',
        workers,
        '--is-upgrade',
        '--dry-run=server',
        '--values',
        '-',
      ];
      const yaml = await tool('helm', args, JSON.stringify(withTemporal(changed)));
      await apply(ofFilePods(readObjects(yaml)), workers);
    },
    async close(): Promise<void> {
      for (const api of apis) api.close();
      const clusterWide = objects.filter(({ kind }) => /^(PriorityClass|Validating)/.test(kind));
      for (const { kind, metadata } of clusterWide) await tool('kubectl', ['delete', kind, metadata.name]);
      await tool('kubectl', ['delete', 'namespace', '--wait=false', workers, namespace]);
    },
  };
}

const withTemporal = (values: object) => ({ temporal: { address: 't:1' }, ...values });
const ofFilePods = (objects: KubeObject[]) =>
  objects.filter(
    ({ kind, metadata }) =>
      KINDS.includes(kind) && PARTS.includes(metadata.labels?.['app.kubernetes.io/component'] ?? ''),
  );

const bareSpec = {
  securityContext: { runAsNonRoot: true, runAsUser: 1, seccompProfile: { type: 'RuntimeDefault' } },
  containers: [
    {
      name: 'bare',
      image: 'bare',
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      resources: { limits: { cpu: '1', memory: '1Mi', 'ephemeral-storage': '1Mi' } },
    },
  ],
};

type FilePodMore = {
  tier?: number;
  podImage?: string;
  nodeSelector?: Record<string, string>;
  tolerations?: { key: string; operator: string; effect: string }[];
  imagePullSecrets?: string[];
};

function filePod(namespace: string, profile: Profile, more: FilePodMore): V1Pod {
  const { tier = 0, podImage = 'pristine/pod:0.1.0', ...placed } = more;
  const fingerprint = profileFingerprint(profile);
  const request = {
    name: podName(SHA256, fingerprint, 12),
    scanId: 'a scan, with any name: ü',
    workflowId: `file-${SHA256}-${fingerprint}`,
    runId: 'run-1',
    sha256: SHA256,
    size: 12_345,
    attempt: 12,
    slot: 'a12-nonce',
    profile: { name: 'default', fingerprint },
    tier,
    getUrl: 'https://files.example.com/f/a$b',
    putUrls: { rebuilt: 'https://a/1', 'report.xml': 'https://a/2', 'report.json': 'https://a/3' },
  };
  const priorityClassName = `${namespace}.pristine.dev`;
  return filePodManifest(request, profile, {
    namespace,
    instance: 'r-pristine',
    podImage,
    priorityClassName,
    ...placed,
  });
}

export const profileOf = (settings: object) => profileSchema.parse(settings);

/** Those that say no namespace go into this one. */
export const apply = (objects: readonly KubeObject[], namespace: string) =>
  tool(
    'kubectl',
    ['apply', '-f', '-'],
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: objects.map((one) => ({ ...one, metadata: { namespace, ...one.metadata } })),
    }),
  );

/** `ok`, or the status and what the API server said. */
export async function answer(api: KubeApi, request: KubeRequest): Promise<string> {
  try {
    await api.read(request);
    return 'ok';
  } catch (error) {
    if (error instanceof KubeError) return `${error.status} ${error.reason} ${error.message}`;
    throw error;
  }
}

export function withToken(like: KubeConfig, token: string): KubeConfig {
  const cluster = like.getCurrentCluster();
  if (!cluster) throw new Error('the kubeconfig has no current cluster');
  const config = new KubeConfig();
  config.loadFromClusterAndUser(cluster, { name: 'worker', token });
  return config;
}
