import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { filesNamespace, nodeName } from './addresses.ts';
import { runChecked } from './command.ts';
import { OperatorError } from './operator-error.ts';

/** A cluster as kubectl reaches it. */
export type Kubectl = { readonly program: string; readonly kubeconfig: string };

/** Runs kubectl against that cluster and returns what it printed. */
export function kubectl(cluster: Kubectl, args: readonly string[], input?: string): Promise<string> {
  const options = input === undefined ? {} : { input };
  return runChecked(cluster.program, [`--kubeconfig=${cluster.kubeconfig}`, ...args], options);
}

/** Applies cluster/manifests/<name>.yaml, with `{{NAME}}` replaced by values. */
export async function applyManifest(
  cluster: Kubectl,
  repo: string,
  name: string,
  values: Readonly<Record<string, string>> = {},
): Promise<void> {
  const text = readFileSync(join(repo, 'cluster/manifests', `${name}.yaml`), 'utf8');
  const filled = Object.entries(values).reduce(
    (all, [key, value]) => all.replaceAll(`{{${key}}}`, value),
    text,
  );
  await kubectl(
    cluster,
    ['apply', '--server-side', '--force-conflicts', '--field-manager=pristine', '-f', '-'],
    filled,
  );
}

/**
 * Makes the namespace of the file pods and the worker's role, and waits for the namespace's service account: until
 * that exists the API server refuses pods.
 */
export async function prepareNamespace(cluster: Kubectl, repo: string): Promise<void> {
  await applyManifest(cluster, repo, 'namespace');
  await kubectl(cluster, [
    '-n',
    filesNamespace,
    'wait',
    '--for=create',
    'serviceaccount/default',
    '--timeout=30s',
  ]);
}

/** Forgets every pod: their containers went with the machine's last stop, and must not be run a second time. */
export async function deleteLostPods(cluster: Kubectl): Promise<void> {
  await kubectl(cluster, ['delete', 'pods', '--all-namespaces', '--all', '--force', '--grace-period=0']);
}

const nodeSchema = z.object({
  spec: z.object({ taints: z.array(z.unknown()).default([]) }),
  status: z.object({
    conditions: z
      .array(z.object({ type: z.string(), status: z.string(), lastHeartbeatTime: z.string() }))
      .default([]),
  }),
});

/**
 * Waits until the node says that it is ready and pods may be put on it. What it said before `since` (milliseconds since
 * the epoch) does not count: the store remembers the last run's word.
 */
export async function waitForNode(cluster: Kubectl, since: number, withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (Date.now() < deadline) {
    const json = await kubectl(cluster, ['get', 'node', nodeName, '--ignore-not-found', '--output=json']);
    if (json.trim() !== '' && isNodeReady(nodeSchema.parse(JSON.parse(json)), since)) return;
    await sleep(200);
  }
  throw new OperatorError(
    `The node was not ready within ${withinMs / 1000} s: its log is .pristine/log/kubelet.log, ` +
      'and "kubectl describe node" says what it waits for.',
  );
}

/** Times in the API have whole seconds. */
function isNodeReady(node: z.infer<typeof nodeSchema>, since: number): boolean {
  const ready = node.status.conditions.find((condition) => condition.type === 'Ready');
  if (ready === undefined || ready.status !== 'True' || node.spec.taints.length > 0) return false;
  return Date.parse(ready.lastHeartbeatTime) >= since - 1000;
}
