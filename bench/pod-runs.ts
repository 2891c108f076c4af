import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchV1Api, CoreV1Api, KubeConfig, V1Job, V1Pod } from '@kubernetes/client-node';
import { Watch } from '@kubernetes/client-node';

const BENCH_LABEL = 'pristine.dev/bench';

/** `run` marks the pods of this bench: another one at the same time has others. */
export type Cluster = {
  config: KubeConfig;
  core: CoreV1Api;
  batch: BatchV1Api;
  namespace: string;
  run: string;
};

/** Seconds from the first create until the last pod has succeeded, at most `parallel` at a time. */
export async function runBarePods(
  cluster: Cluster,
  pods: readonly V1Pod[],
  parallel: number,
): Promise<number> {
  const { core, namespace, run } = cluster;
  const waiting = [...pods];
  const open = new Set<string>();
  const failed: string[] = [];
  const done = Promise.withResolvers<void>();
  const startNext = async (): Promise<void> => {
    const next = waiting.pop();
    if (next === undefined) {
      if (open.size === 0) done.resolve();
      return;
    }
    open.add(next.metadata?.name ?? '');
    await core.createNamespacedPod({ namespace, body: labelled(next, run) });
  };
  const watching = watchPods(cluster, (pod) => {
    const { name } = pod.metadata ?? {};
    const phase = pod.status?.phase;
    if ((phase !== 'Succeeded' && phase !== 'Failed') || name === undefined || !open.delete(name)) return;
    if (phase === 'Failed') failed.push(name);
    startNext().catch(done.reject);
  });

  const began = performance.now();
  try {
    await Promise.all(Array.from({ length: parallel }, startNext));
    await done.promise;
  } finally {
    await watching.stop();
  }
  const seconds = (performance.now() - began) / 1000;
  await removePods(cluster);
  if (failed.length > 0) throw new Error(`${failed.length} bare pods failed, the first is ${failed[0]}.`);
  return seconds;
}

/** Seconds from creating an Indexed Job until it is complete. */
export async function runJob(cluster: Cluster, job: V1Job): Promise<number> {
  const { batch, namespace, run } = cluster;
  const name = job.metadata?.name ?? '';
  const began = performance.now();
  await batch.createNamespacedJob({ namespace, body: labelledJob(job, run) });
  try {
    for (;;) {
      await sleep(500);
      const { status } = await batch.readNamespacedJob({ namespace, name });
      const ended = status?.conditions?.find(
        ({ type, status: is }) => is === 'True' && (type === 'Complete' || type === 'Failed'),
      );
      if (ended?.type === 'Failed') throw new Error(`The Job failed: ${ended.message}`);
      // The condition's own time has a resolution of a second; this one is at most half a second late.
      if (ended) return (performance.now() - began) / 1000;
    }
  } finally {
    await batch.deleteNamespacedJob({ namespace, name, propagationPolicy: 'Foreground' });
    await removePods(cluster);
  }
}

/** An Indexed Job of `completions` pods like `pod`; `$(INDEX)` in its environment is the pod's index. */
export function indexedJob(name: string, pod: V1Pod, completions: number, parallelism: number): V1Job {
  if (pod.spec === undefined) throw new Error('a pod without a spec');
  const index = {
    name: 'INDEX',
    valueFrom: {
      fieldRef: { fieldPath: "metadata.annotations['batch.kubernetes.io/job-completion-index']" },
    },
  };
  const indexed = <C extends { env?: object[] }>(container: C): C => ({
    ...container,
    env: [index, ...(container.env ?? [])],
  });
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: {
      completions,
      parallelism,
      completionMode: 'Indexed',
      backoffLimit: 0,
      template: {
        metadata: {},
        spec: {
          ...pod.spec,
          initContainers: (pod.spec.initContainers ?? []).map(indexed),
          containers: pod.spec.containers.map(indexed),
        },
      },
    },
  };
}

function labelled<P extends Pick<V1Pod, 'metadata'>>(pod: P, run: string): P {
  const labels = { ...pod.metadata?.labels, [BENCH_LABEL]: run };
  return { ...pod, metadata: { ...pod.metadata, labels } };
}

/** Its pods are, which its template says. */
function labelledJob(job: V1Job, run: string): V1Job {
  if (job.spec === undefined) throw new Error('a Job without a spec');
  return { ...job, spec: { ...job.spec, template: labelled(job.spec.template, run) } };
}

/** Calls `see` with each change of a bench pod, and anew with all of them whenever the watch breaks. */
function watchPods(cluster: Cluster, see: (pod: V1Pod) => void): { stop(): Promise<void> } {
  const watch = new Watch(cluster.config);
  const path = `/api/v1/namespaces/${cluster.namespace}/pods`;
  let stopped = false;
  let abort: AbortController | undefined;
  const loop = (async () => {
    while (!stopped) {
      const ended = Promise.withResolvers<void>();
      abort = await watch.watch(
        path,
        { labelSelector: `${BENCH_LABEL}=${cluster.run}` },
        (_, pod: V1Pod) => see(pod),
        () => ended.resolve(),
      );
      if (stopped) abort.abort();
      await ended.promise;
    }
  })();
  return {
    async stop() {
      stopped = true;
      abort?.abort();
      await loop;
    },
  };
}

async function removePods({ core, namespace, run }: Cluster): Promise<void> {
  const selector = { namespace, labelSelector: `${BENCH_LABEL}=${run}` };
  await core.deleteCollectionNamespacedPod({ ...selector, gracePeriodSeconds: 0 });
  while ((await core.listNamespacedPod(selector)).items.length > 0) await sleep(500);
}
