/** Scans that share, race, are cancelled, terminated and handed from worker to worker. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import type { ScanSummary } from '../../workflows/contract.ts';
import { until } from '../contract/until.ts';
import { expectNothingLeft, expectWhole, readManifest } from '../integration/oracle.ts';
import type { WorkerProcess } from '../integration/worker-process.ts';
import type { Places } from './places.ts';
import { crashAt, inEngine, openScene, type Scene, sha256Of, survives } from './scene.ts';

let scene: Scene;

beforeAll(async () => {
  scene = await openScene();
}, 600_000);
afterAll(async () => {
  await scene?.close();
}, 600_000);

const enginesAtWork = async (worker: WorkerProcess) => (await scene.podsOf(worker)).filter(inEngine).length;

/** `count` files that each keep the engine for so many seconds. */
async function slowFiles(
  worker: WorkerProcess,
  place: Places,
  count: number,
  seconds: number,
): Promise<string[]> {
  const texts = Array.from({ length: count }, (_, n) => `slow ${seconds}\n${worker.instance} ${n}\n`);
  for (const [n, text] of texts.entries()) await place.put(`file-${n}`, text);
  return texts;
}

/** Executions of one scan: one more each time it continued as new. */
const runsOf = async (scan: WorkflowHandle) =>
  Array.fromAsync(scene.client.workflow.list({ query: `WorkflowId="${scan.workflowId}"` }));

/** A scanner whose death ends no pod: those are another process's. From bucket to bucket, no link leads to it. */
async function scannerApart(more: Record<string, string>) {
  const scanner = await scene.worker({ PRISTINE_ROLES: 'orchestrate,files', ...more });
  await scene.worker({ PRISTINE_ROLES: 'pods' }, { beside: scanner });
  const place = await scene.inBucket();
  // More than two pages of names, few contents.
  for (let n = 0; n < 60; n++) await place.put(`file-${n}`, `slow 1\n${scanner.instance} ${n % 6}\n`);
  return { scanner, place };
}

describe('F5', () => {
  test('F5 the scanner is killed in the middle of a page: the cursor goes on, nothing is skipped', async () => {
    const { scanner, place } = await scannerApart(crashAt('page.hashed', 2));
    const scan = await scene.start(scanner, place, { parallelFiles: 2 });
    expect(await scanner.ended()).toBe('SIGKILL');
    await scanner.restart(survives);
    const { listed, outcomes } = await scene.expectSound(scanner, place, scan);
    expect([listed, outcomes.rebuilt, outcomes.delivered]).toEqual([60, 6, 54]);
  }, 400_000);

  test('F5 the scanner is killed each time that its scan continues as new: nothing is skipped', async () => {
    const { scanner, place } = await scannerApart({ TEST_HISTORY_LIMIT: '30' });
    const scan = await scene.start(scanner, place, { parallelFiles: 2 });
    for (let run = 2; run <= 3; run++) {
      await until(async () => (await runsOf(scan)).length >= run);
      await scanner.restart();
    }
    const { listed, outcomes } = await scene.expectSound(scanner, place, scan);
    expect([listed, outcomes.rebuilt + outcomes.delivered]).toEqual([60, 60]);
  }, 400_000);

  test.each(['files.delivered', 'files.written', 'manifest.written'] as const)(
    'F5 the scanner is killed at %s: each file is written down once',
    async (point) => {
      const worker = await scene.worker(crashAt(point));
      const place = scene.inFolders(worker);
      for (const name of ['one', 'two']) await place.put(name, `rebuild\n${worker.instance}\n`);
      const scan = await scene.start(worker, place);
      expect(await worker.ended()).toBe('SIGKILL');
      await worker.restart(survives);
      const { outcomes } = await scene.expectSound(worker, place, scan);
      expect(outcomes).toMatchObject({ rebuilt: 1, delivered: 1 });
    },
    300_000,
  );

  test('F5 the same scan started twice: the same ID is refused, another ID shares its work', async () => {
    const worker = await scene.worker();
    const place = scene.inFolders(worker);
    await slowFiles(worker, place, 3, 3);
    const first = await scene.start(worker, place);
    await expect(scene.start(worker, place, {}, first.workflowId)).rejects.toThrow(/already started/i);
    const second = await scene.start(worker, place);
    const one = await scene.expectSound(worker, place, first);
    const two = await scene.expectSound(worker, place, second);
    expect(one.outcomes.rebuilt + two.outcomes.rebuilt).toBe(3);
    expect(one.outcomes.delivered + two.outcomes.delivered).toBe(3);
    expect(await scene.childrenOf(worker)).toHaveLength(3);
  }, 600_000);
});

describe('F7', () => {
  test('F7 one content under several paths, in scans at once, in two sources, in folder and bucket: one engine run', async () => {
    const worker = await scene.worker();
    const [a, b] = [`slow 4\n${worker.instance} a\n`, `rebuild\n${worker.instance} b\n`];
    const [here, there, store] = [scene.inFolders(worker), scene.inFolders(worker), await scene.inBucket()];
    const files: [Places, string, string][] = [
      [here, 'one', a],
      [here, 'two', a],
      [here, 'deep/er/three', a],
      [here, 'other', b],
      [there, 'x', a],
      [store, 'y', a],
      [store, 'folder/z', b],
    ];
    for (const [place, name, text] of files) await place.put(name, text);
    // The first of them twice: its second scan goes elsewhere.
    const elsewhere = { ...scene.inFolders(worker), source: here.source };
    const all = [here, there, store, elsewhere];
    const scans = await Promise.all(
      all.map(async (place) => ({ place, scan: await scene.start(worker, place) })),
    );
    let rebuilt = 0;
    for (const { place, scan } of scans) {
      const summary: ScanSummary = await scan.result();
      const { destination } = await place.see();
      const { source } = await (place === elsewhere ? here : place).see();
      await expectWhole({ workers: [worker], source, destination, scan: scan.workflowId, summary });
      const lines = readManifest(destination, scan.workflowId);
      for (const { path } of lines)
        expect([path, existsSync(join(destination, 'tree', path))]).toEqual([path, true]);
      expect(summary.outcomes.rebuilt + summary.outcomes.delivered).toBe(lines.length);
      rebuilt += summary.outcomes.rebuilt;
    }
    expect(rebuilt).toBe(2);
    const ids = (await scene.childrenOf(worker)).map(({ workflowId }) =>
      workflowId.slice(0, 'file-'.length + 64),
    );
    expect(ids.sort()).toEqual([a, b].map((text) => `file-${sha256Of(text)}`).sort());
  }, 600_000);
});

describe('F39', () => {
  test('F39 a cancelled scan takes its pods and locks with it; the next one does the rest', async () => {
    const worker = await scene.worker();
    const place = scene.inFolders(worker);
    const texts = await slowFiles(worker, place, 3, 6);
    const scan = await scene.start(worker, place, { parallelFiles: 2 });
    await until(async () => (await enginesAtWork(worker)) === 2);
    await scan.cancel();
    await expect(scan.result()).rejects.toThrow(/cancelled/i);
    await expectNothingLeft(worker);
    const { destination } = await place.see();
    expect(existsSync(join(destination, 'tree'))).toBe(false);
    const begun = new Set(worker.events('pod.created').map(({ pod }) => pod)).size;
    expect(begun).toBe(2);
    const again = await scene.start(worker, place);
    // Those that were begun ran twice: the first time in vain.
    const made = new Map(texts.map((text) => [sha256Of(text), 1]));
    const cancelled = (await scene.childrenOf(worker)).filter(({ status }) => status.name === 'CANCELLED');
    expect(cancelled).toHaveLength(2);
    for (const { workflowId } of cancelled)
      made.set(workflowId.slice('file-'.length, 'file-'.length + 64), 2);
    const { outcomes } = await scene.expectSound(worker, place, again, Object.fromEntries(made));
    expect(outcomes.rebuilt).toBe(3);
  }, 600_000);

  test('F39 a terminated scan lets its files end and leaves nothing; the next one delivers them', async () => {
    const worker = await scene.worker();
    const place = scene.inFolders(worker);
    await slowFiles(worker, place, 3, 4);
    const scan = await scene.start(worker, place);
    await until(async () => (await enginesAtWork(worker)) === 3);
    await scan.terminate('by hand');
    await expectNothingLeft(worker);
    const { outcomes } = await scene.expectSound(worker, place, await scene.start(worker, place));
    expect(outcomes.delivered).toBe(3);
  }, 600_000);

  test('F39 a terminated child frees its slot; the next one adopts the pod that it left', async () => {
    const worker = await scene.worker();
    const place = scene.inFolders(worker);
    const [text = ''] = await slowFiles(worker, place, 2, 20);
    const scan = await scene.start(worker, place);
    await until(async () => (await enginesAtWork(worker)) === 2);
    const child = (await scene.childrenOf(worker)).find(({ workflowId }) =>
      workflowId.includes(sha256Of(text)),
    );
    await scene.client.workflow.getHandle(child?.workflowId ?? '').terminate('by hand');
    const { outcomes } = await scene.expectSound(worker, place, scan);
    expect(outcomes.rebuilt + outcomes.delivered).toBe(2);
    const [made] = worker
      .events('pod.created')
      .filter(({ uid }) => worker.events('pod.adopted').some((adopted) => adopted.uid === uid));
    expect(made).toBeDefined();
  }, 600_000);

  test('F39 the old worker drains while the new one is there: it ends with 0, no pod is made twice', async () => {
    // From bucket to bucket: no pod's link leads to the worker that goes.
    const old = await scene.worker({ PRISTINE_SHUTDOWN_GRACE_SECONDS: '1' });
    const next = await scene.worker({}, { beside: old });
    const place = await scene.inBucket();
    await slowFiles(old, place, 4, 10);
    const scan = await scene.start(old, place, { parallelFiles: 2 });
    await until(async () => (await enginesAtWork(old)) === 2);
    const uids = async () => (await scene.podsOf(old)).map((pod) => pod.metadata?.uid).sort();
    const handedOver = await uids();
    expect(await old.stop()).toBe(0);
    expect(await uids()).toEqual(handedOver);
    const { outcomes } = await scene.expectSound(next, place, scan);
    expect(outcomes.rebuilt).toBe(4);
    expect(next.events('pod.ended').map(({ uid }) => uid)).toEqual(expect.arrayContaining(handedOver));
  }, 600_000);
});
