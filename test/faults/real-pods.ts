/** The runs of the engine in real pods, as the API server tells them. */
import type { KubeConfig, V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import { ANNOTATION, filePodSelector } from '../../drivers/kubernetes/pod-labels.ts';
import type { EngineRun, PodPlayer } from './pod-player.ts';
import { watchPods } from './watch-pods.ts';

/** Looks on: what it tells is what a player of kwok pods tells. */
export function watchRealPods(options: { kubeConfig: KubeConfig; instance: string }): PodPlayer {
  const { kubeConfig, instance } = options;
  const runs: EngineRun[] = [];
  const see = ({ metadata, status }: V1Pod) => {
    const ended = (statuses: V1ContainerStatus[] | undefined, container: string) =>
      statuses?.find(({ name }) => name === container)?.state?.terminated?.exitCode;
    const exitCode = ended(status?.initContainerStatuses, 'engine');
    const { name: pod = '', uid = '', annotations = {} } = metadata ?? {};
    if (exitCode === undefined) return;
    let run = runs.find((one) => one.uid === uid);
    if (run === undefined) {
      const sha256 = annotations[ANNOTATION.sha256] ?? '';
      const fingerprint = annotations[ANNOTATION.fingerprint] ?? '';
      run = { sha256, fingerprint, pod, uid, exitCode, success: exitCode === 3 };
      runs.push(run);
    }
    if (ended(status?.containerStatuses, 'upload') === 0) run.success = true;
  };
  const watching = watchPods(
    { kubeConfig, namespace: 'pristine-files', selector: filePodSelector(instance) },
    see,
  );
  return { runs, playing: () => 0, close: watching.stop };
}
