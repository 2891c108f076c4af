/** What must hold after each seed, whatever its faults were. Every function throws with what does not. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { filePodSelector } from '../../drivers/kubernetes/pod-labels.ts';
import { connectRedis } from '../../drivers/redis/connect.ts';
import { createRedisLocks } from '../../drivers/redis/locks.ts';
import type { ScanSummary } from '../../workflows/contract.ts';
import {
  expectAccounted,
  expectNoTemporaryFiles,
  expectOneReceiptEach,
  filesBelow,
  readManifest,
} from '../integration/oracle.ts';
import { sha256Of } from './scene.ts';
import { expectedOutcome, type SeedPlan } from './seed-plan.ts';
import type { World } from './seed-world.ts';

export type Finished = {
  plan: SeedPlan;
  world: World;
  /** As folders. */
  source: string;
  destination: string;
  scan: string;
  summary: ScanSummary;
};

/** Engine runs beyond one for a content, and why the schedule allows them. */
export type Extra = { content: string; runs: number; why: string };

/** Books, receipts, clean side. */
export function expectSoundScan({ plan, world, source, destination, scan, summary }: Finished): void {
  expectAccounted(source, destination, scan, summary);
  const manifest = readManifest(destination, scan);
  const texts = new Map(plan.files.map(({ path, text }) => [path, text]));
  const wrong = manifest.filter(({ path, outcome }) => {
    const word = outcome === 'rebuilt' || outcome === 'delivered' ? 'done' : outcome;
    return word !== expectedOutcome(texts.get(path) ?? '');
  });
  expect(wrong.map(({ path, outcome, reason }) => ({ path, outcome, reason }))).toEqual([]);

  const clean = manifest.filter(({ outcome }) => outcome === 'rebuilt' || outcome === 'delivered');
  const tree = join(destination, 'tree');
  expect(existsSync(tree) ? filesBelow(tree) : []).toEqual(clean.map(({ path }) => path).sort());

  const workers = world.workers.map(({ process }) => process);
  const pods = Object.fromEntries(
    [...Map.groupBy(world.runs, ({ sha256 }) => sha256)]
      .filter(([, runs]) => runs.length > 1)
      .map(([sha256, runs]) => [sha256, runs.length]),
  );
  expectOneReceiptEach({ workers, source, destination, scan, summary, pods });
}

/**
 * One success of the engine a content, and one more for each pod that was deleted by hand after it. A content that
 * makes it fail ran no more often than its retries allow, losses aside; FLUSHALL forgets that it was quarantined.
 */
export function expectEngineRunsOnce({ plan, world }: Pick<Finished, 'plan' | 'world'>): Extra[] {
  const extras: Extra[] = [];
  const flushed = plan.faults.some(({ kind }) => kind === 'flushall');
  for (const text of new Set(plan.files.map((file) => file.text))) {
    const content = sha256Of(text);
    const runs = world.runs.filter(({ sha256 }) => sha256 === content);
    const successes = runs.filter(({ success }) => success);
    const lost = runs.filter(({ uid }) => world.deleted.has(uid));
    if (expectedOutcome(text) === 'quarantined') {
      if (!flushed)
        expect([text, runs.length <= plan.scan.retries + 1 + lost.length, runs]).toEqual([text, true, runs]);
      continue;
    }
    const lostSuccesses = successes.filter(({ uid }) => world.deleted.has(uid));
    const within = successes.length >= 1 && successes.length <= 1 + lostSuccesses.length;
    expect([text, within, successes]).toEqual([text, true, successes]);
    if (successes.length > 1)
      extras.push({
        content,
        runs: successes.length,
        why: 'a pod was deleted after its engine had succeeded',
      });
  }
  return extras;
}

/** No pod, no lock, no temporary file, no part. Pods and locks may take a while: their time is given to them. */
export async function expectNothingLeftBehind(finished: Finished): Promise<void> {
  const { world, source, destination, scan, summary } = finished;
  const workers = world.workers.map(({ process }) => process);
  const [first] = workers;
  if (first === undefined) throw new Error('a plan has a worker');
  const pods = async () => {
    const labelSelector = filePodSelector(first.instance);
    const { items } = await world.cluster.listNamespacedPod({ namespace: 'pristine-files', labelSelector });
    return items.map(({ metadata }) => metadata?.name);
  };
  await emptied(pods);
  const quiet = { info() {}, warn() {}, error() {}, debug() {} };
  const redis = connectRedis({ url: world.redisUrl, log: quiet });
  try {
    await emptied(() => Array.fromAsync(createRedisLocks(redis, { prefix: first.keyPrefix }).list()));
  } finally {
    redis.disconnect();
  }
  expectNoTemporaryFiles({ workers, source, destination, scan, summary });
}

async function emptied(list: () => Promise<unknown[]>): Promise<void> {
  for (let round = 0; round < 300; round++) {
    if ((await list()).length === 0) return;
    await sleep(200);
  }
  expect(await list()).toEqual([]);
}
