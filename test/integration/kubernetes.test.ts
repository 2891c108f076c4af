/** The Kubernetes driver on the real API server. What it survives is in test/faults. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { loadKubeConfig } from '../../drivers/kubernetes/load-kube-config.ts';
import { PATIENCE } from '../../drivers/kubernetes/pod-trouble.ts';
import { createPods, type PodsOptions } from '../../drivers/kubernetes/pods.ts';
import type { FilePodRequest, Pods } from '../../drivers/ports.ts';
import { type ClusterPods, clusterPods } from '../contract/cluster-pods.ts';
import { stackVariable } from '../contract/stack.ts';
import { recordingLog } from '../unit/drivers/kubernetes/recording-log.ts';
import { apiProxy } from './kubernetes-proxy.ts';

jest.setTimeout(120_000);

let cluster: ClusterPods;
const closing: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  cluster = await clusterPods();
});
afterAll(async () => {
  for (const close of closing.reverse()) await close();
  for (const pod of await cluster.pods.list()) await cluster.pods.remove(pod);
  await cluster.close();
});

/** The driver once more, with settings of its own, for the same installation. */
function driver(more: Partial<PodsOptions>) {
  const logger = recordingLog();
  const pods = createPods({ ...cluster.options, logger, ...more });
  closing.push(() => pods.close());
  return { pods, logger };
}

async function behindProxy() {
  const { proxy, kubeConfig } = await apiProxy(cluster.options.kubeConfig);
  closing.push(() => proxy.close());
  const made = driver({
    kubeConfig,
    api: { requestTimeoutMs: 4_000 },
    watch: { watchSeconds: 2, idleMs: 4_000, backoffMs: [100, 1_000] },
  });
  return { proxy, ...made };
}

describe('between the worker and the API server', () => {
  test('watches end and begin again on the same connections, with one list', async () => {
    const { proxy, pods, logger } = await behindProxy();
    const ref = await pods.create(cluster.request('hang'));
    const abort = new AbortController();
    let beats = 0;
    const outcome = pods.await(ref, {
      signal: abort.signal,
      onProgress: (phase) => {
        // Heartbeats come every 5 s: meanwhile several watches of 2 s have ended.
        if (phase === 'engine' && ++beats === 3) abort.abort();
      },
    });
    await expect(outcome).rejects.toMatchObject({ name: 'AbortError' });
    expect(logger.events.filter((event) => event.startsWith('watch.'))).toEqual(['watch.started']);
    expect(proxy.accepted).toBeLessThanOrEqual(3);
    await pods.close();
    while (proxy.open > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  });

  test('a list in pages has everything once', async () => {
    const refs = [];
    for (let n = 0; n < 3; n++) refs.push(await cluster.pods.create(cluster.request('hang')));
    const { pods } = driver({ watch: { pageSize: 1 } });
    const names = (await pods.list()).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining(refs.map(({ name }) => name)));
  });
});

describe('a pod that does not start', () => {
  const outcomeOf = async (pods: Pods, request: FilePodRequest) => pods.await(await pods.create(request));

  test('for want of a node is a matter of capacity, in the words of the scheduler', async () => {
    const { pods } = driver({
      manifest: (request) => {
        const pod = shortPatience(request);
        return { ...pod, spec: { containers: [], ...pod.spec, nodeSelector: { 'pristine.dev/none': 'x' } } };
      },
    });
    expect(await outcomeOf(pods, cluster.request('rebuild'))).toMatchObject({
      kind: 'failed',
      class: 'capacity',
      reason: expect.stringContaining("didn't match Pod's node affinity/selector"),
    });
  });

  test('for want of an image is a matter of configuration, named', async () => {
    const { pods } = driver({
      manifest: (request) => {
        const pod = shortPatience(request);
        for (const container of pod.spec?.initContainers ?? [])
          container.image = 'pristine.invalid/missing:1';
        return pod;
      },
      waits: { patience: { ...PATIENCE, troubleMs: 2_000 } },
    });
    expect(await outcomeOf(pods, cluster.request('rebuild'))).toMatchObject({
      kind: 'failed',
      class: 'configuration',
      reason: expect.stringMatching(
        /^fetch can not start: (ErrImagePull|ImagePullBackOff): .*pristine\.invalid/,
      ),
    });
  });
});

function shortPatience(request: FilePodRequest) {
  const pod = cluster.manifest(request);
  pod.metadata = {
    ...pod.metadata,
    annotations: { ...pod.metadata?.annotations, 'pristine.dev/start-deadline-seconds': '4' },
  };
  return pod;
}

describe('what the API server refuses', () => {
  const namespace = `pristine-test-${randomUUID().slice(0, 8)}`;
  let admin: Pods;

  beforeAll(async () => {
    await cluster.admin.createNamespace({
      body: {
        metadata: { name: namespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
      },
    });
    admin = driver({
      kubeConfig: loadKubeConfig(stackVariable('KUBECONFIG')),
      settings: { namespace, instance: cluster.instance },
      manifest: (request) => {
        const pod = cluster.manifest(request);
        return { ...pod, metadata: { ...pod.metadata, namespace } };
      },
    }).pods;
  });
  afterAll(() => cluster.admin.deleteNamespace({ name: namespace }));

  test('a full quota: wait, with the numbers', async () => {
    await cluster.admin.createNamespacedResourceQuota({
      namespace,
      body: { metadata: { name: 'none' }, spec: { hard: { pods: '0' } } },
    });
    const refusal = async (): Promise<unknown> => {
      const error = await admin.create(cluster.request('rebuild')).catch((caught) => caught);
      // The quota's controller and the service account need a moment in a new namespace.
      return error?.code === 'kubernetes.unavailable' ? refusal() : error;
    };
    expect(await refusal()).toMatchObject({
      code: 'kubernetes.quota',
      retryable: true,
      message: expect.stringMatching(
        /exceeded quota: none, requested: pods=1, used: pods=0, limited: pods=0/,
      ),
    });
    await cluster.admin.deleteNamespacedResourceQuota({ namespace, name: 'none' });
  });

  test('a pod that Pod Security does not allow: a person has to act', async () => {
    const { pods } = driver({
      manifest: (request) => {
        const pod = cluster.manifest(request);
        if (pod.spec) pod.spec.hostNetwork = true;
        return pod;
      },
    });
    await expect(pods.create(cluster.request('rebuild'))).rejects.toMatchObject({
      code: 'kubernetes.forbidden',
      retryable: false,
      message: expect.stringContaining('violates PodSecurity'),
    });
  });

  test('a pod that is invalid: the field is named, its value is not', async () => {
    const { pods } = driver({
      manifest: (request) => {
        const pod = cluster.manifest(request);
        for (const container of pod.spec?.containers ?? []) container.image = ' ';
        return pod;
      },
    });
    await expect(pods.create(cluster.request('rebuild'))).rejects.toMatchObject({
      code: 'kubernetes.invalid',
      retryable: false,
      message: expect.stringContaining('spec.containers[0].image'),
    });
  });

  test('a namespace where the worker has no rights: each missing one is named', async () => {
    const { pods } = driver({ settings: { namespace: 'default', instance: cluster.instance } });
    await expect(pods.check()).rejects.toMatchObject({
      code: 'kubernetes.forbidden',
      message: expect.stringContaining(
        'create pods, get pods, list pods, watch pods, delete pods, get pods/log',
      ),
    });
  });

  test('a namespace that is not there', async () => {
    const { pods } = driver({
      kubeConfig: loadKubeConfig(stackVariable('KUBECONFIG')),
      settings: { namespace: 'pristine-no-such', instance: cluster.instance },
    });
    await expect(pods.check()).rejects.toMatchObject({
      code: 'kubernetes.invalid',
      message: expect.stringContaining('pristine-no-such does not exist'),
    });
  });
});
