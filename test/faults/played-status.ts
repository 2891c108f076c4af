import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import type { Ending } from '../../pod/stop.ts';
import type { EngineEnding } from './played-engine.ts';

/** What ran, in this order; the first that failed is the last. */
export type Endings = { fetch: Ending; engine?: EngineEnding; upload?: Ending };

/** The status with which a kubelet would end the pod. */
export function podStatus(pod: V1Pod, endings: Endings): object {
  const finishedAt = new Date().toISOString();
  const startedAt = pod.metadata?.creationTimestamp ?? finishedAt;
  const status = (container: { name: string; image?: string }): Partial<V1ContainerStatus> => {
    const ending: EngineEnding | undefined = endings[container.name as keyof Endings];
    const { name, image = '' } = container;
    const common = { name, image, imageID: image, ready: false, restartCount: 0 };
    if (ending === undefined) return { ...common, state: { waiting: { reason: 'PodInitializing' } } };
    const { code, message, reason = code === 0 ? 'Completed' : 'Error' } = ending;
    const terminated = { exitCode: code, reason, message, startedAt, finishedAt };
    // The schema of client-node has dates where JSON has text.
    return { ...common, state: { terminated } } as unknown as Partial<V1ContainerStatus>;
  };
  return {
    phase: endings.upload?.code === 0 ? 'Succeeded' : 'Failed',
    initContainerStatuses: pod.spec?.initContainers?.map(status) ?? [],
    containerStatuses: pod.spec?.containers.map(status) ?? [],
  };
}
