import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { containerd } from './containerd.ts';
import { apiServer, controllerManager, etcd, scheduler } from './control-plane.ts';
import { stackVariables, type Target } from './environment.ts';
import { kubelet, kubeProxy } from './node.ts';
import type { Part } from './part.ts';
import { readRecord } from './pid-file.ts';
import { isAlive } from './process-identity.ts';
import { formatElapsed } from './progress.ts';
import { redis } from './redis.ts';
import { s3 } from './s3.ts';
import type { Stack } from './stack.ts';
import { temporal } from './temporal.ts';
import { worker, workerVariables } from './worker-process.ts';

type State = 'healthy' | 'not ready' | 'stopped' | 'died';

/** Prints how each part is and where it is reached. Returns whether all of them are healthy. */
export async function status(stack: Stack, target: Target, print: (line: string) => void): Promise<boolean> {
  const { layout } = stack;
  if (!existsSync(layout.envFile)) {
    print('Nothing has been set up yet: make up does it.');
    return false;
  }
  const states = await Promise.all(
    partsOf(stack, target).map(async (part) => ({ part, state: await stateOf(stack, part) })),
  );
  for (const { part, state } of states) {
    const record = readRecord(layout.run, part.name);
    const since = state === 'stopped' || state === 'died' || record === undefined ? '' : runningFor(record);
    const log = relative(layout.repo, join(layout.log, `${part.name}.log`));
    print(`${part.name.padEnd(24)} ${state.padEnd(10)} ${since.padEnd(32)} ${log}`);
  }
  const later = readRecord(layout.run, 'later-builds');
  if (later !== undefined && isAlive(later)) print(`${'CoreDNS and Helm'.padEnd(24)} being built`);
  const shown = stackVariables(stack, target);
  for (const name of ['TEMPORAL_UI', 'TEMPORAL_ADDRESS', 'AWS_ENDPOINT_URL_S3', 'KUBECONFIG']) {
    print(`${name.padEnd(24)} ${shown[name] ?? ''}`);
  }
  print('All variables, with the keys: . .pristine/env');
  return states.every(({ state }) => state === 'healthy');
}

function partsOf(stack: Stack, target: Target): Part[] {
  const cluster = target.local
    ? [etcd, apiServer, controllerManager, scheduler, containerd, kubelet, kubeProxy].map((part) =>
        part(stack),
      )
    : [];
  const own = worker(stack.layout, workerVariables(stack.layout));
  return [...cluster, temporal(stack), redis(stack), s3(stack, target.host), own];
}

async function stateOf({ layout }: Stack, part: Part): Promise<State> {
  const record = readRecord(layout.run, part.name);
  if (record === undefined) return 'stopped';
  if (!isAlive(record)) return 'died';
  return (await part.healthy()) ? 'healthy' : 'not ready';
}

function runningFor(record: { pid: number; startedAt: number }): string {
  return `pid ${record.pid}, for ${formatElapsed(Date.now() - record.startedAt)}`;
}
