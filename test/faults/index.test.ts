/** The index lost, away, older, lying or full: nothing is lost, and nothing is done twice. */
import { cpSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import { Redis } from 'ioredis';
import { type OwnRedis, ownRedis } from '../../cluster/own-servers/own-redis.ts';
import { redisKeys } from '../../drivers/redis/keys.ts';
import type { ScanSummary } from '../../workflows/contract.ts';
import { loadBloom } from '../contract/redis-connection.ts';
import { until } from '../contract/until.ts';
import { filesBelow } from '../integration/oracle.ts';
import type { WorkerProcess } from '../integration/worker-process.ts';
import { findRecords } from './index-records.ts';
import { pristine } from './operator.ts';
import type { Places } from './places.ts';
import { inEngine, openScene, type Scene, sha256Of } from './scene.ts';

/** Seconds that Redis is away. */
const AWAY = process.env.PRISTINE_SOAK === '1' ? [60, 600] : [20];

let scene: Scene;
let server: OwnRedis;
let worker: WorkerProcess;
let redis: Redis;
beforeAll(async () => {
  scene = await openScene();
  server = await ownRedis([...(await loadBloom()), '--appendonly', 'yes', '--appendfsync', 'always']);
  await server.start();
  worker = await scene.worker({ REDIS_URL: server.url });
  redis = new Redis(server.url);
  redis.on('error', () => {});
}, 600_000);
afterAll(async () => {
  redis?.disconnect();
  await scene?.close();
  await server?.close();
}, 600_000);

let written = 0;
/** Puts files of contents of their own, of which the engine does the same; resolves with their sha256s. */
async function put(place: Places, count: number, mode: string): Promise<string[]> {
  const texts = Array.from({ length: count }, () => `${mode}\n${worker.instance} ${++written}\n`);
  for (const [i, text] of texts.entries()) await place.put(`${mode.replace(' ', '-')}-${i}`, text);
  return texts.map(sha256Of);
}
const podsMade = () => new Set(worker.events('pod.created').map(({ uid }) => uid)).size;
const committed = (contents: readonly string[]) =>
  worker.events('result.committed').filter(({ sha256 }) => contents.includes(String(sha256))).length;
/** Some of its files are done, and others are at work. */
const midScan = (contents: readonly string[]) =>
  until(async () => committed(contents) >= 2 && (await scene.podsOf(worker)).some(inEngine));
const recordsOf = ({ fingerprint }: ScanSummary['profile'], contents: readonly string[]) =>
  findRecords(worker.keyPrefix, fingerprint, contents, server.url);
const rebuiltIn = ({ destination }: Places) => ({ verdict: 'rebuilt', destination });

/** Each receipt's bytes and when it was last written. */
async function receipts(place: Places): Promise<Record<string, unknown>> {
  const content = join((await place.see()).destination, 'content');
  const files = filesBelow(content).filter((file) => file.endsWith('receipt.json'));
  return Object.fromEntries(
    files.map((file) => [
      file,
      { text: readFileSync(join(content, file), 'utf8'), at: statSync(join(content, file)).mtimeMs },
    ]),
  );
}

async function scanned(place: Places): Promise<ScanSummary> {
  return scene.expectSound(worker, place, await scene.start(worker, place));
}

/** As when its retention period is over: which files' workflows have ended, and how, Temporal knows no more. */
async function endRetention(): Promise<void> {
  for (const { workflowId, runId } of await scene.childrenOf(worker)) {
    await scene.connection.workflowService.deleteWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId, runId },
    });
  }
  await until(async () => (await scene.childrenOf(worker)).length === 0);
}

/** Nobody remembers these contents but their receipts: they make no pod, and are on record again. */
async function expectFoundByReceipts(
  place: Places,
  profile: ScanSummary['profile'],
  contents: readonly string[],
): Promise<void> {
  const [pods, found] = [podsMade(), worker.events('result.found').length];
  const all = await receipts(place);
  await endRetention();
  const { outcomes } = await scanned(place);
  expect(outcomes.rebuilt).toBe(0);
  expect(podsMade()).toBe(pods);
  expect(worker.events('result.found')).toHaveLength(found + contents.length);
  expect(await receipts(place)).toEqual(all);
  expect(await recordsOf(profile, contents)).toEqual(contents.map(() => rebuiltIn(place)));
}

/** Steps that fail now and are tried again, of the scan and its files, by what they fail with. */
async function waitingFor(scan: WorkflowHandle): Promise<string[]> {
  const children = (await scene.childrenOf(worker)).filter(({ status }) => status.name === 'RUNNING');
  const handles = [scan, ...children.map(({ workflowId }) => scene.client.workflow.getHandle(workflowId))];
  const described = await Promise.all(handles.map((handle) => handle.describe()));
  return described.flatMap(({ raw }) =>
    (raw.pendingActivities ?? []).flatMap(({ lastFailure }) => lastFailure?.message ?? []),
  );
}

test('F8 FLUSHALL mid-scan: no receipt is written again, and a rebuild makes the index what the receipts say', async () => {
  const place = scene.inFolders(worker);
  const contents = await put(place, 6, 'slow 2');
  const refused = await put(place, 1, 'refuse');
  const scan = await scene.start(worker, place, { parallelFiles: 3 });
  await midScan(contents);
  const before = await receipts(place);
  expect(Object.keys(before).length).toBeGreaterThanOrEqual(2);
  await redis.flushall();

  const { outcomes, profile } = await scene.expectSound(worker, place, scan);
  expect(outcomes).toMatchObject({ rebuilt: 6, refused: 1, delivered: 0 });
  expect(await receipts(place)).toMatchObject(before);

  const all = await receipts(place);
  await redis.flushall();
  expect(await pristine(worker, 'index', 'rebuild', place.destination)).toMatchObject({ code: 0 });
  expect(await recordsOf(profile, [...contents, ...refused])).toEqual([
    ...contents.map(() => rebuiltIn(place)),
    { verdict: 'refused', destination: place.destination },
  ]);
  const pods = podsMade();
  expect((await scanned(place)).outcomes).toMatchObject({ delivered: 6, refused: 1, rebuilt: 0 });
  expect(podsMade()).toBe(pods);
  expect(await receipts(place)).toEqual(all);
}, 600_000);

test.each(AWAY)(
  'F9 kill -9 Redis mid-scan, back after %d s: steps wait, nothing is called done, all go on',
  async (seconds) => {
    const place = scene.inFolders(worker);
    const contents = await put(place, 6, 'slow 2');
    const scan = await scene.start(worker, place, { parallelFiles: 3 });
    await midScan(contents);
    await server.kill();
    const back = Date.now() + seconds * 1000;
    await until(async () => (await waitingFor(scan)).some((message) => message.includes('Redis')));
    await sleep(Math.max(0, back - Date.now()));
    expect((await scan.describe()).status.name).toBe('RUNNING');
    await server.start();

    const { outcomes, profile } = await scene.expectSound(worker, place, scan);
    expect(outcomes).toMatchObject({ rebuilt: 6, delivered: 0 });
    expect(await recordsOf(profile, contents)).toEqual(contents.map(() => rebuiltIn(place)));
  },
  1_200_000,
);

describe('F10', () => {
  const appendOnly = () => join(server.folder, 'appendonlydir');
  const keys = ({ fingerprint }: ScanSummary['profile']) => redisKeys(worker.keyPrefix).profile(fingerprint);

  test('F10 Redis restored from an old dump: what it has forgotten is found by the receipts', async () => {
    const place = scene.inFolders(worker);
    const early = await put(place, 2, 'rebuild');
    await scanned(place);
    await server.kill();
    const dump = join(server.folder, 'old');
    cpSync(appendOnly(), dump, { recursive: true });
    await server.start();
    const late = await put(place, 3, 'slow 1');
    const { profile } = await scanned(place);
    const all = await receipts(place);
    const pods = podsMade();

    const restore = async () => {
      await server.kill();
      rmSync(appendOnly(), { recursive: true });
      cpSync(dump, appendOnly(), { recursive: true });
      await server.start();
      expect(await recordsOf(profile, [...early, ...late])).toEqual([
        ...early.map(() => rebuiltIn(place)),
        ...late.map(() => null),
      ]);
    };
    await restore();
    // Temporal remembers: their workflows are asked, and the index is told again.
    expect((await scanned(place)).outcomes).toMatchObject({ rebuilt: 0, delivered: 5 });
    expect(podsMade()).toBe(pods);
    expect(await receipts(place)).toEqual(all);
    expect(await recordsOf(profile, late)).toEqual(late.map(() => rebuiltIn(place)));
    await restore();
    await expectFoundByReceipts(place, profile, late);
  }, 600_000);

  test('F10 the filter lost and the records kept: the epoch tells, the records answer, it is filled again', async () => {
    const place = scene.inFolders(worker);
    await put(place, 3, 'rebuild');
    const { profile } = await scanned(place);
    const [pods, found] = [podsMade(), worker.events('result.found').length];
    const children = (await scene.childrenOf(worker)).length;
    await redis.del(keys(profile).filter);
    expect((await scanned(place)).outcomes).toMatchObject({ rebuilt: 0, delivered: 3 });
    expect(podsMade()).toBe(pods);
    expect(worker.events('result.found')).toHaveLength(found);
    expect(await scene.childrenOf(worker)).toHaveLength(children);
    expect(worker.events('index.filter_filled').length).toBeGreaterThan(0);
    expect(await redis.exists(keys(profile).filter)).toBe(1);
  }, 600_000);

  test('F10 the records lost and the filter kept: the filter’s yes is no answer, the receipts are', async () => {
    const place = scene.inFolders(worker);
    const contents = await put(place, 3, 'rebuild');
    const { profile } = await scanned(place);
    await redis.del(keys(profile).records);
    await expectFoundByReceipts(place, profile, contents);
  }, 600_000);
});

test('F11 a false positive of the filter, planted: the file is processed', async () => {
  const place = scene.inFolders(worker);
  await put(place, 1, 'rebuild');
  const { profile } = await scanned(place);
  const [planted = ''] = await put(place, 1, 'slow 1');
  const { filter } = redisKeys(worker.keyPrefix).profile(profile.fingerprint);
  const raw = Buffer.from(planted, 'hex');
  expect(await redis.call('BF.ADD', filter, raw)).toBe(1);
  expect(await redis.call('BF.EXISTS', filter, raw)).toBe(1);
  const scan = await scene.start(worker, place);
  const summary = await scene.expectSound(worker, place, scan);
  expect(summary.outcomes).toMatchObject({ rebuilt: 1, delivered: 1 });
  expect(committed([planted])).toBe(1);
}, 600_000);

test('F12 the record there and the filter empty: no second engine run', async () => {
  const place = scene.inFolders(worker);
  await put(place, 2, 'rebuild');
  const { profile } = await scanned(place);
  const { filter } = redisKeys(worker.keyPrefix).profile(profile.fingerprint);
  const [pods, found] = [podsMade(), worker.events('result.found').length];
  await endRetention();
  await redis.del(filter);
  await redis.call('BF.RESERVE', filter, '0.001', '1000');
  expect((await scanned(place)).outcomes).toMatchObject({ rebuilt: 0, delivered: 2 });
  expect(podsMade()).toBe(pods);
  // The record answered, before there was a workflow to look for a receipt.
  expect(worker.events('result.found')).toHaveLength(found);
  expect(await scene.childrenOf(worker)).toEqual([]);
}, 600_000);

test('F26 Redis reaches its maxmemory mid-scan: steps wait and say so, all go on when it has more', async () => {
  const place = scene.inFolders(worker);
  const contents = await put(place, 6, 'slow 2');
  const scan = await scene.start(worker, place, { parallelFiles: 3 });
  await midScan(contents);
  await redis.config('SET', 'maxmemory', '1');
  await until(async () => (await waitingFor(scan)).some((message) => message.includes('maxmemory')));
  expect((await scan.describe()).status.name).toBe('RUNNING');
  await redis.config('SET', 'maxmemory', '0');

  const { outcomes, profile } = await scene.expectSound(worker, place, scan);
  expect(outcomes).toMatchObject({ rebuilt: 6, delivered: 0 });
  expect(await recordsOf(profile, contents)).toEqual(contents.map(() => rebuiltIn(place)));
}, 600_000);
