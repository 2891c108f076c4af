/** What grows with the number of files, and must not. On pods that cost nothing. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';
import type { Progress, ScanSummary } from '../../workflows/contract.ts';
import { QUERY } from '../../workflows/contract.ts';
import { openTestRedis } from '../contract/redis-connection.ts';
import { stackVariable } from '../contract/stack.ts';
import { expectAccounted, expectNothingLeft } from '../integration/oracle.ts';
import { type KwokPods, startKwokPods } from './kwok-pods.ts';
import { openScene, type Scene } from './scene.ts';

/** PRISTINE_FILES makes it another number, to try things out. */
const FILES = Number(process.env.PRISTINE_FILES || (process.env.PRISTINE_SOAK === '1' ? 10_000 : 400));
const PARALLEL = 25;
const MEBIBYTE = 1024;

/** `done` of a scan's files, and what its worker holds at that moment. */
type Sample = { done: number; memoryKiB: number; descriptors: number; keys: number };

const kubeConfig = new KubeConfig();
let scene: Scene;
let kwok: KwokPods;

beforeAll(async () => {
  kubeConfig.loadFromFile(stackVariable('KUBECONFIG'));
  [scene, kwok] = await Promise.all([openScene(), startKwokPods(kubeConfig, { jitterMs: 100 })]);
}, 600_000);
afterAll(async () => {
  await scene?.close();
  await kwok?.close();
}, 600_000);

test(
  `F42 ${FILES} files: a worker's memory and descriptors, Redis' keys and the histories stay flat`,
  async () => {
    const worker = await scene.worker(kwok.env);
    const player = kwok.play(worker.instance);
    const place = scene.inFolders(worker);
    for (let file = 0; file < FILES; file++) {
      await place.put(`${file % 100}/${file}`, `rebuild\n${worker.instance} ${file}\n`);
    }
    const scan = await scene.start(worker, place, { parallelFiles: PARALLEL });
    const { redis, close } = await openTestRedis();
    const samples: Sample[] = [];
    let over = false;
    const sampling = (async () => {
      while (!over) {
        const { listed, done } = await scan
          .query<Progress>(QUERY.progress)
          .catch(() => ({ listed: 0, done: null }));
        const keys = await keysUnder((cursor) =>
          redis.scan(cursor, 'MATCH', `${worker.keyPrefix}:*`, 'COUNT', 1_000),
        );
        if (listed > 0 && done !== null) samples.push({ done: sum(done), keys, ...held(worker.pid()) });
        await sleep(1_000);
      }
    })();
    const summary: ScanSummary = await scan.result().finally(() => {
      over = true;
    });
    await sampling;
    await close();

    const { source, destination } = await place.see();
    expectAccounted(source, destination, scan.workflowId, summary);
    expect(summary.outcomes.rebuilt).toBe(FILES);
    expect(player.runs).toHaveLength(FILES);

    const early = middle(samples, 0.2, 0.4);
    const late = middle(samples, 0.8, 1);
    process.stderr.write(`F42: ${JSON.stringify({ early, late })}\n`);
    expect(late.memoryKiB).toBeLessThan(early.memoryKiB * 1.25 + 32 * MEBIBYTE);
    expect(late.descriptors).toBeLessThanOrEqual(early.descriptors + 2 * PARALLEL);
    // Filter, records and meta of the profile, and a lock for each file in work.
    expect(late.keys).toBeLessThanOrEqual(8 + PARALLEL);
    const histories = await Array.fromAsync(
      scene.client.workflow.list({ query: `TaskQueue="${worker.taskQueue}"` }),
    );
    const longest = Math.max(...histories.map(({ historyLength }) => historyLength));
    expect(histories.length).toBeGreaterThan(FILES);
    expect(longest).toBeLessThan(10_240);
    await expectNothingLeft(worker);
  },
  300_000 + FILES * 4_000,
);

function held(pid: number): Pick<Sample, 'memoryKiB' | 'descriptors'> {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return {
    memoryKiB: Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
  };
}

async function keysUnder(page: (cursor: string) => Promise<[string, string[]]>): Promise<number> {
  const keys = new Set<string>();
  let cursor = '0';
  do {
    const [next, found] = await page(cursor);
    for (const key of found) keys.add(key);
    cursor = next;
  } while (cursor !== '0');
  return keys.size;
}

/** The medians of the samples taken while this part of the files got done. */
function middle(samples: readonly Sample[], from: number, to: number): Sample {
  const taken = samples.filter(({ done }) => done >= FILES * from && done <= FILES * to);
  if (taken.length < 3)
    throw new Error(`only ${taken.length} samples of ${samples.length} from ${from} to ${to}`);
  const median = (of: keyof Sample) =>
    taken.map((sample) => sample[of]).sort((a, b) => a - b)[Math.floor(taken.length / 2)] ?? Number.NaN;
  return {
    done: median('done'),
    memoryKiB: median('memoryKiB'),
    descriptors: median('descriptors'),
    keys: median('keys'),
  };
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
