/** The Kubernetes driver behind proxies, on the real cluster, with pods of a test's own. */
import { createPods, type PodsOptions } from '../../drivers/kubernetes/pods.ts';
import type { PodOutcome, PodPhase, PodRef, Pods } from '../../drivers/ports.ts';
import { clusterPods } from '../contract/cluster-pods.ts';
import { apiHttpProxy, apiProxy } from '../integration/kubernetes-proxy.ts';
import { recordingLog } from '../unit/drivers/kubernetes/recording-log.ts';

/** Short enough for a test, and in proportion to each other as the real ones. */
const QUICK = { watchSeconds: 2, idleMs: 4_000, backoffMs: [100, 1_000] } as const;

export type Bay = Awaited<ReturnType<typeof openBay>>;

/** `close` removes the pods and closes what was opened. */
export async function openBay() {
  const cluster = await clusterPods();
  const closing: (() => Promise<unknown>)[] = [];

  /** One more driver for the same installation. */
  function driver(more: Partial<PodsOptions> = {}) {
    const logger = recordingLog();
    const pods = createPods({ ...cluster.options, logger, ...more });
    closing.push(() => pods.close());
    return { pods, logger };
  }
  const quick = (more: Partial<PodsOptions>) =>
    driver({ api: { requestTimeoutMs: 4_000 }, ...more, watch: { ...QUICK, ...more.watch } });

  return {
    ...cluster,
    driver,
    /** Behind a TCP proxy. */
    async behindWeather(more: Partial<PodsOptions> = {}) {
      const { proxy, kubeConfig } = await apiProxy(cluster.options.kubeConfig);
      closing.push(proxy.close);
      return { proxy, ...quick({ ...more, kubeConfig }) };
    },
    /** Behind an HTTP proxy. */
    async behindFaults(more: Partial<PodsOptions> = {}) {
      const { proxy, kubeConfig } = await apiHttpProxy(cluster.options.kubeConfig);
      closing.push(proxy.close);
      return { proxy, ...quick({ ...more, kubeConfig }) };
    },
    async close(): Promise<void> {
      for (const close of closing.reverse()) await close();
      for (const pod of await cluster.pods.list()) await cluster.pods.remove(pod);
      await cluster.close();
    },
  };
}

/** Resolves when the pod is there; the wait for its end goes on as `outcome`. */
export async function inPhase(
  pods: Pods,
  pod: PodRef,
  wanted: PodPhase,
): Promise<{ outcome: Promise<PodOutcome> }> {
  const there = Promise.withResolvers<void>();
  const outcome = pods.await(pod, { onProgress: (phase) => phase === wanted && there.resolve() });
  await Promise.race([
    there.promise,
    outcome.then((ended) => Promise.reject(new Error(`ended before ${wanted}: ${JSON.stringify(ended)}`))),
  ]);
  // In an object: a promise that is returned alone would be waited for.
  return { outcome };
}
