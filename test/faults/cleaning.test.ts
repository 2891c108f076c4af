/** What is left over: pods that nobody waits for, contents that always fail, slots and books of the past. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Progress, RetryResult, ScanSummary } from '../../workflows/contract.ts';
import { QUERY, UPDATE, WORKFLOW } from '../../workflows/contract.ts';
import { stackVariable } from '../contract/stack.ts';
import { until } from '../contract/until.ts';
import { expectNothingLeft, filesBelow, readManifest } from '../integration/oracle.ts';
import type { WorkerProcess } from '../integration/worker-process.ts';
import { findRecords } from './index-records.ts';
import { pristine } from './operator.ts';
import { type OwnTemporal, ownTemporal } from './own-temporal.ts';
import type { Places } from './places.ts';
import { inEngine, openScene, type Scene, sha256Of } from './scene.ts';

const run = promisify(execFile);

/** A pod whose scan and file workflow were terminated while its engine ran: nobody waits for it any more. */
async function orphan(scene: Scene, worker: WorkerProcess): Promise<{ name: string; uid: string }> {
  const place = scene.inFolders(worker);
  await place.put('one', `hang\n${worker.instance} orphan\n`);
  const scan = await scene.start(worker, place);
  await until(async () => (await scene.podsOf(worker)).some(inEngine));
  const [pod, ...others] = await scene.podsOf(worker);
  expect(others).toEqual([]);
  const [child] = await scene.childrenOf(worker);
  await scan.terminate('by hand');
  await scene.client.workflow.getHandle(child?.workflowId ?? '').terminate('by hand');
  return { name: pod?.metadata?.name ?? '', uid: pod?.metadata?.uid ?? '' };
}
const isThere = async (scene: Scene, worker: WorkerProcess, uid: string) =>
  (await scene.podsOf(worker)).some(({ metadata }) => metadata?.uid === uid);
const uidsOf = (worker: WorkerProcess, event: string) => worker.events(event).map(({ uid }) => uid);

describe('pods', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene();
  }, 600_000);
  afterAll(async () => {
    await scene?.close();
  }, 600_000);

  test('F40 the sweeper deletes the pod of a terminated file, and not one that is waited for', async () => {
    const worker = await scene.worker({ PRISTINE_SWEEP_SECONDS: '1' });
    const left = await orphan(scene, worker);
    await until(() => worker.events('pod.suspected').length > 0);

    // For longer than a pod must be old to be suspected, and far from its own deadline on a busy machine.
    const place = scene.inFolders(worker);
    await place.put('one', `slow 25\n${worker.instance} alive\n`);
    const scan = await scene.start(worker, place);
    await until(async () => !(await isThere(scene, worker, left.uid)));
    await scene.expectSound(worker, place, scan);

    expect(uidsOf(worker, 'pod.suspected')).toEqual([left.uid]);
    expect(uidsOf(worker, 'pod.orphaned')).toEqual([left.uid]);
    expect(worker.events('pod.created')).toHaveLength(2);
  }, 400_000);

  test('F40 two workers sweep at once: the pod goes, nobody is harmed', async () => {
    const worker = await scene.worker({ PRISTINE_SWEEP_SECONDS: '1' });
    const other = await scene.worker({ PRISTINE_SWEEP_SECONDS: '1' }, { beside: worker });
    const left = await orphan(scene, worker);
    await until(async () => !(await isThere(scene, worker, left.uid)));
    await until(() => [worker, other].every((one) => one.events('pod.suspected').length === 1));
    expect([...worker.events('sweep.failed'), ...other.events('sweep.failed')]).toEqual([]);
  }, 600_000);
});

describe('owners unknown', () => {
  let temporal: OwnTemporal;
  let scene: Scene;
  beforeAll(async () => {
    temporal = await ownTemporal();
    await temporal.start();
    scene = await openScene(temporal.address);
  }, 180_000);
  afterAll(async () => {
    await scene?.close();
    await temporal?.close();
  }, 600_000);

  test('F40 Temporal is away: nothing is deleted, whatever was known before; then it is', async () => {
    const worker = await scene.worker({ PRISTINE_SWEEP_SECONDS: '1' });
    const left = await orphan(scene, worker);
    await until(() => worker.events('pod.suspected').length > 0);
    await temporal.kill();
    // Rounds enough to delete it twice over, had they an answer.
    const before = worker.events('sweep.failed').length;
    const since = Date.now();
    await until(() => worker.events('sweep.failed').length >= before + 5 && Date.now() - since > 60_000);
    expect(await isThere(scene, worker, left.uid)).toBe(true);
    expect(worker.events('pod.orphaned')).toEqual([]);
    await temporal.start();
    await until(async () => !(await isThere(scene, worker, left.uid)));
    expect(uidsOf(worker, 'pod.orphaned')).toEqual([left.uid]);
  }, 400_000);
});

describe('contents that fail every time', () => {
  let scene: Scene;
  let worker: WorkerProcess;
  beforeAll(async () => {
    scene = await openScene();
    worker = await scene.worker();
  }, 600_000);
  afterAll(async () => {
    await scene?.close();
  }, 600_000);
  const podsMade = () => worker.events('pod.created').length;

  test('F41 quarantined; later scans skip it by record until an operator clears one, a class or all', async () => {
    const place = scene.inFolders(worker);
    const texts = {
      'crash-1': `exit 1\n${place.source} 1\n`,
      'crash-2': `exit 7\n${place.source} 2\n`,
      memory: `memory\n${place.source} 3\n`,
    };
    for (const [name, text] of Object.entries(texts)) await place.put(name, text);
    /** Pods that a scan of the place makes. */
    const scan = async () => {
      const before = podsMade();
      const handle = await scene.start(worker, place, { retries: 1, failureLimit: false });
      const summary: ScanSummary = await handle.result();
      expect(summary.outcomes).toMatchObject({ quarantined: 3, rebuilt: 0 });
      return podsMade() - before;
    };
    const listed = async () =>
      (await pristine(worker, 'quarantine', 'list', place.destination, '--json')).lines.map(
        (line): { sha256: string; class: string; attempts: number; logs: string[]; profile: string } =>
          JSON.parse(line),
      );
    expect(await scan()).toBe(3 * 2);
    expect(await scan()).toBe(0);
    const notes = await listed();
    const of = (name: keyof typeof texts) => notes.find((note) => note.sha256 === sha256Of(texts[name]));
    expect(notes).toHaveLength(3);
    expect(of('crash-1')).toMatchObject({ class: 'crash', attempts: 2 });
    expect(of('memory')).toMatchObject({ class: 'resource', attempts: 2 });
    const { destination } = await place.see();
    for (const { logs } of notes) {
      for (const key of logs) expect([key, existsSync(join(destination, key))]).toEqual([key, true]);
    }
    expect(filesBelow(destination).filter((file) => file.startsWith('tree/'))).toEqual([]);

    const one = await pristine(worker, 'retry', place.destination, sha256Of(texts['crash-1']));
    expect(one.code).toBe(0);
    expect(one.lines.at(-1)).toMatch(/^1 cleared/);
    expect(await scan()).toBe(2);

    // The same with the CLI of Temporal alone.
    const execute = async (input: object) => {
      const words = ['workflow', 'execute', '--type', WORKFLOW.retryQuarantined, '--output', 'json'];
      const { stdout } = await run('temporal', [
        ...words,
        ...['--address', stackVariable('TEMPORAL_ADDRESS'), '--task-queue', worker.taskQueue],
        ...['--workflow-id', `${worker.instance}-retry-${podsMade()}`, '--input', JSON.stringify(input)],
      ]);
      return (JSON.parse(stdout) as { result: RetryResult }).result;
    };
    const { cleared, contents } = await execute({ destination: place.destination, class: 'crash' });
    expect([cleared, contents.length]).toEqual([2, 2]);
    expect((await listed()).map((note) => note.class)).toEqual(['resource']);
    expect(await scan()).toBe(4);

    const all = await pristine(worker, 'retry', place.destination, '--all');
    expect(all.lines.at(-1)).toMatch(/^3 cleared/);
    expect(await listed()).toEqual([]);
    const fingerprint = notes[0]?.profile ?? '';
    expect(await findRecords(worker.keyPrefix, fingerprint, Object.values(texts).map(sha256Of))).toEqual([
      null,
      null,
      null,
    ]);
    expect((await execute({ destination: place.destination, all: true })).cleared).toBe(0);
    expect(await scan()).toBe(6);
    await expectNothingLeft(worker);
  }, 600_000);

  test('F41 a watching scan counts it once, and takes it up again when an operator has cleared it', async () => {
    const place = scene.inFolders(worker);
    const texts = ['one', 'two'].map((name) => `exit 1\n${place.source} watched ${name}\n`);
    for (const [n, text] of texts.entries()) await place.put(`file-${n}`, text);
    const scan = await scene.start(worker, place, { retries: 0, watch: 1, failureLimit: false });
    // It answers once it is open.
    const progress = () => scan.query<Progress>(QUERY.progress).catch(() => undefined);
    const passes = async (more: number) => {
      const now = (await progress())?.pass ?? 0;
      await until(async () => ((await progress())?.pass ?? 0) >= now + more);
    };
    await until(async () => (await progress())?.done.quarantined === 2);
    const before = podsMade();
    await passes(3);
    expect(await progress()).toMatchObject({ listed: 2, done: { quarantined: 2 } });

    const { lines } = await pristine(worker, 'retry', place.destination, sha256Of(texts[0] ?? ''));
    expect(lines.at(-1)).toMatch(/^1 cleared/);
    await until(async () => (await progress())?.done.quarantined === 3);
    await passes(3);
    expect(await progress()).toMatchObject({ listed: 3, done: { quarantined: 3 } });
    expect(podsMade() - before).toBe(1);

    await scan.executeUpdate(UPDATE.drain);
    const summary = (await scan.result()) as ScanSummary;
    expect(summary).toMatchObject({ listed: 3, outcomes: { quarantined: 3 } });
    const { destination } = await place.see();
    expect(readManifest(destination, scan.workflowId).map(({ path }) => path)).toEqual(
      expect.arrayContaining(['file-0', 'file-1']),
    );
    await expectNothingLeft(worker);
  }, 600_000);
});

describe('what lies in a destination', () => {
  let scene: Scene;
  let worker: WorkerProcess;
  beforeAll(async () => {
    scene = await openScene();
    worker = await scene.worker();
  }, 600_000);
  afterAll(async () => {
    await scene?.close();
  }, 600_000);

  /** As the upload of a lost node that comes back does: into a slot of its own, beside a receipt that stands. */
  function lateUpload(destination: string, text: string): string {
    const sha256 = sha256Of(text);
    const content = join(destination, 'content', sha256.slice(0, 2), sha256);
    const [fingerprint = ''] = readdirSync(content);
    const slot = join(content, fingerprint, 'a1-9999999999');
    mkdirSync(slot);
    writeFileSync(join(slot, 'rebuilt'), 'late');
    return slot;
  }
  const sweep = (place: Places, ...options: string[]) =>
    pristine(worker, 'sweep', place.destination, ...options);

  test('F19 the slot of a late upload is swept once no link to it can be open; what the receipt names stays', async () => {
    const place = scene.inFolders(worker);
    const text = `rebuild\n${place.source} late\n`;
    await place.put('one', text);
    await place.put('bad', `exit 1\n${place.source} late\n`);
    const scan = await scene.start(worker, place, { retries: 0 });
    await scan.result();
    const { destination } = await place.see();
    const before = filesBelow(destination);
    const slot = lateUpload(destination, text);

    expect((await sweep(place)).lines.at(-1)).toMatch(/^0 slots, 0 books .* removed\.$/);
    expect(existsSync(slot)).toBe(true);
    expect((await sweep(place, '--older-than', '0', '--dry-run')).lines.at(-1)).toMatch(/^1 slots, 0 books/);
    expect(existsSync(slot)).toBe(true);
    expect((await sweep(place, '--older-than', '0')).code).toBe(0);
    expect(filesBelow(destination)).toEqual(before);
    expect((await pristine(worker, 'verify', place.destination)).lines.at(-1)).toBe('All of it holds.');
  }, 600_000);

  test('F39 the books of a terminated scan are swept, those of one that goes on are not', async () => {
    const place = scene.inFolders(worker);
    await place.put('one', `rebuild\n${place.source} books\n`);
    const [over, alive] = await Promise.all([1, 2].map(() => scene.start(worker, place, { watch: 1 })));
    if (!over || !alive) throw new Error('two were started');
    const { destination } = await place.see();
    const books = (scan: string) =>
      filesBelow(join(destination, 'scans')).filter(
        (file) => /^(parts|pages)\//.test(file.slice(scan.length + 1)) && file.startsWith(`${scan}/`),
      );
    for (const { workflowId } of [over, alive]) {
      await until(async () => existsSync(join(destination, 'scans', workflowId, 'parts')));
    }
    await over.terminate('by hand');
    const held = books(alive.workflowId);
    expect(held.length).toBeGreaterThan(1);

    expect((await sweep(place)).lines.at(-1)).toMatch(/^0 slots, 0 books/);
    expect((await sweep(place, '--older-than', '0')).lines.at(-1)).toMatch(/^0 slots, [1-9]\d* books/);
    expect(books(over.workflowId)).toEqual([]);
    expect(books(alive.workflowId)).toEqual(expect.arrayContaining(held));

    await alive.executeUpdate(UPDATE.drain);
    const summary = (await alive.result()) as ScanSummary;
    expect(summary.listed).toBe(1);
    expect(readManifest(destination, alive.workflowId)).toHaveLength(1);
    await expectNothingLeft(worker);
  }, 600_000);
});
