/** The port on the real cluster, with the rights of a worker and an installation name of its own. */
import { createHash, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CoreV1Api, type V1Pod } from '@kubernetes/client-node';
import { filePodManifest } from '../../drivers/kubernetes/file-pod.ts';
import { loadKubeConfig } from '../../drivers/kubernetes/load-kube-config.ts';
import { podName } from '../../drivers/kubernetes/pod-name.ts';
import { createPods, type PodsOptions } from '../../drivers/kubernetes/pods.ts';
import type { FilePodRequest } from '../../drivers/ports.ts';
import { type Profile, profileFingerprint, profileSchema } from '../../drivers/profile.ts';
import { BEHAVIOURS, type Behaviour, type PodsHarness } from './pods-harness.ts';
import { builtImage, stackVariable } from './stack.ts';

export const NAMESPACE = 'pristine-files';
/** What the faulty engine puts before the input. */
const PREFIX = 'rebuilt by faulty\n';

export type ClusterPods = PodsHarness & {
  instance: string;
  admin: CoreV1Api;
  options: PodsOptions;
  manifest(request: FilePodRequest): V1Pod;
  profiles: Record<string, Profile>;
};

/** Fails where there is no cluster: a test that needs one is not skipped. */
export async function clusterPods(more: Partial<PodsOptions> = {}): Promise<ClusterPods> {
  const instance = `test-${randomUUID()}`;
  const adminConfig = loadKubeConfig(stackVariable('KUBECONFIG'));
  const admin = adminConfig.makeApiClient(CoreV1Api);
  const server = await contentServer(stackVariable('PRISTINE_HOST_ADDRESS'));
  const profiles = Object.fromEntries(BEHAVIOURS.map((behaviour) => [behaviour, profileOf(behaviour)]));
  const settings = { namespace: NAMESPACE, instance, podImage: builtImage('pod') };
  const manifest = (request: FilePodRequest) => {
    const profile = profiles[request.profile.name];
    if (!profile) throw new Error(`no profile ${request.profile.name}`);
    return filePodManifest(request, profile, settings);
  };
  const quiet = () => undefined;
  const options: PodsOptions = {
    kubeConfig: loadKubeConfig(stackVariable('PRISTINE_WORKER_KUBECONFIG')),
    settings,
    manifest,
    logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    ...more,
  };
  const pods = createPods(options);

  const request = (behaviour: Behaviour, other: Partial<FilePodRequest> = {}): FilePodRequest => {
    const content = `${behaviour} ${randomUUID()}\n`;
    const sha256 = createHash('sha256').update(content).digest('hex');
    const profile = { name: behaviour, fingerprint: profileFingerprint(profileOf(behaviour)) };
    const url = server.offer(behaviour, sha256, content);
    return {
      name: podName(sha256, profile.fingerprint, 1),
      scanId: 'scan of the contract tests',
      workflowId: `file-${sha256}`,
      runId: 'run-1',
      sha256,
      size: content.length,
      attempt: 1,
      slot: 'a1-slot',
      profile,
      tier: 0,
      getUrl: `${url}/get`,
      putUrls: {
        rebuilt: `${url}/rebuilt`,
        'report.xml': `${url}/report.xml`,
        'report.json': `${url}/report.json`,
      },
      ...other,
    };
  };

  const foreign: string[] = [];
  const plantForeign = async (name: string) => {
    const body = manifest(request('hang'));
    body.metadata = { name, labels: { planted: instance } };
    await admin.createNamespacedPod({ namespace: NAMESPACE, body });
    foreign.push(name);
  };

  const close = async () => {
    for (const name of foreign)
      await admin.deleteNamespacedPod({ namespace: NAMESPACE, name, gracePeriodSeconds: 0 });
    await pods.close();
    await server.close();
  };
  const rebuiltSize = ({ size }: FilePodRequest) => PREFIX.length + size;
  return { pods, request, rebuiltSize, plantForeign, close, instance, admin, options, manifest, profiles };
}

function profileOf(behaviour: Behaviour): Profile {
  const modes: Partial<Record<Behaviour, string[]>> = {
    refuse: ['refuse'],
    'refuse-by-exit': ['refuse-by-exit'],
    crash: ['exit', '7'],
    nothing: ['nothing'],
    memory: ['memory'],
    hang: ['hang'],
    'reach-deadline': ['hang'],
  };
  return profileSchema.parse({
    image: builtImage('engineFaulty'),
    args: modes[behaviour] ?? ['rebuild'],
    engine: {
      request: { cpu: '10m', memory: '32Mi' },
      limit: { cpu: '1', memory: behaviour === 'memory' ? '96Mi' : '256Mi' },
    },
    scratch: '16Mi',
    maxRebuiltBytes: 2 ** 20,
    maxReportBytes: 2 ** 20,
    runDeadlineSeconds: behaviour === 'reach-deadline' ? 20 : 300,
  });
}

/** Hands out contents and takes uploads, on the address that pods reach. */
async function contentServer(host: string) {
  const contents = new Map<string, { behaviour: Behaviour; content: string }>();
  const server = createServer((request, response) => {
    const [, sha256 = '', object] = (request.url ?? '').split('/');
    const found = contents.get(sha256);
    request.resume();
    request.on('end', () => {
      const answer = (status: number, body = '') => response.writeHead(status).end(body);
      if (!found) return answer(404);
      if (object !== 'get') return answer(found.behaviour === 'destination-away' ? 400 : 201);
      if (found.behaviour === 'source-gone') return answer(404);
      if (found.behaviour === 'link-refused') return answer(403);
      return answer(200, found.behaviour === 'changed' ? found.content.toUpperCase() : found.content);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  // A server that listens on a port has an AddressInfo.
  const { port } = server.address() as AddressInfo;
  return {
    offer(behaviour: Behaviour, sha256: string, content: string): string {
      contents.set(sha256, { behaviour, content });
      return `http://${host}:${port}/${sha256}`;
    },
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
