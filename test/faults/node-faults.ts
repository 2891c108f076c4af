/** Things that can be done to nodes without disturbing the pods of others on them. */
import { runChecked } from '../../cluster/command.ts';
import { NAMESPACE } from '../contract/cluster-pods.ts';

/** Throws with kubectl's own last line. Returns what it printed. */
export const kubectl = (...args: string[]) => runChecked('kubectl', args);
export const apply = (object: object) =>
  runChecked('kubectl', ['apply', '-f', '-'], { input: JSON.stringify(object) });

/** A resource of which the node has one, and the priority class that preempts for it. */
export const PLACE = 'pristine.dev/only-place';
export const PLACE_CLASS = 'pristine-test-first';

/** Gives the node that place. Resolves with what takes it away. */
export async function onlyPlace() {
  const place = (value: string | null) =>
    kubectl(
      ...['patch', 'node', 'pristine', '--subresource=status', '--type=merge', '-p'],
      JSON.stringify({ status: { capacity: { [PLACE]: value } } }),
    );
  await place('1');
  await apply({
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: PLACE_CLASS },
    value: 1000,
  });
  return async () => {
    await kubectl('delete', 'priorityclass', PLACE_CLASS);
    await place(null);
  };
}

/** A node of which the cluster knows no more than its name: nothing there runs pods or says how they are. */
export const LOST_NODE = 'pristine-test-lost';

/** Registers it. Resolves with what removes it. */
export async function lostNode() {
  await apply({ apiVersion: 'v1', kind: 'Node', metadata: { name: LOST_NODE } });
  return () => kubectl('delete', 'node', LOST_NODE, '--ignore-not-found');
}

/** What the node would have said before it was lost. */
export function sayRunning(name: string): Promise<string> {
  const startedAt = new Date().toISOString().replace(/\.\d+Z/, 'Z');
  const container = (of: string, state: object) => ({
    ...{ name: of, image: of, imageID: '', ready: false, restartCount: 0 },
    state,
  });
  const done = { terminated: { exitCode: 0, reason: 'Completed', startedAt, finishedAt: startedAt } };
  const status = {
    phase: 'Running',
    startTime: startedAt,
    initContainerStatuses: [container('fetch', done), container('engine', { running: { startedAt } })],
    containerStatuses: [container('upload', { waiting: { reason: 'PodInitializing' } })],
  };
  return kubectl(
    ...['-n', NAMESPACE, 'patch', 'pod', name, '--subresource=status', '--type=merge', '-p'],
    JSON.stringify({ status }),
  );
}
