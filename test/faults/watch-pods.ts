/** A list and a watch of a test's own, begun again whenever it ends. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CoreV1Api, type KubeConfig, type V1Pod, Watch } from '@kubernetes/client-node';

/** `see` is called for each pod that is there, is added or changes; some more than once. */
export function watchPods(
  { kubeConfig, namespace, selector }: { kubeConfig: KubeConfig; namespace: string; selector: string },
  see: (pod: V1Pod) => void,
): { stop(): Promise<void> } {
  const api = kubeConfig.makeApiClient(CoreV1Api);
  const watch = new Watch(kubeConfig);
  let stopped = false;
  let interrupt = () => {};

  async function once(): Promise<void> {
    const { items, metadata } = await api.listNamespacedPod({ namespace, labelSelector: selector });
    for (const pod of items) see(pod);
    if (stopped) return;
    await new Promise<void>((resolve, reject) => {
      const done = () => resolve();
      const query = {
        labelSelector: selector,
        resourceVersion: metadata?.resourceVersion ?? '',
        timeoutSeconds: 20,
      };
      watch
        .watch(
          `/api/v1/namespaces/${namespace}/pods`,
          query,
          (type, pod: V1Pod) => {
            if (type === 'ADDED' || type === 'MODIFIED') see(pod);
          },
          done,
        )
        .then((controller) => {
          interrupt = () => {
            controller.abort();
            resolve();
          };
          if (stopped) interrupt();
        }, reject);
    });
  }

  async function run(): Promise<void> {
    while (!stopped) await once().catch(() => sleep(200));
  }

  const running = run();
  return {
    async stop() {
      stopped = true;
      interrupt();
      await running;
    },
  };
}
