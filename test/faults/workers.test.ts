/** Workers that die beside a pod: what the next one finds, adopts and never does again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CrashPoint } from '../../activities/crash-points.ts';
import { until } from '../contract/until.ts';
import { findRecords, listLocks } from './index-records.ts';
import { crashAt, inEngine, openScene, type Scene, sha256Of, survives } from './scene.ts';

let scene: Scene;

beforeAll(async () => {
  scene = await openScene();
}, 600_000);
afterAll(async () => {
  await scene?.close();
}, 600_000);

/** A scan of one file by a worker that kills itself at the point; resolves when it is dead. */
async function crashed(point: CrashPoint, more: Record<string, string> = {}) {
  const worker = await scene.worker({ ...crashAt(point), ...more });
  // A folder's links lead to this worker: a pod that begins while it is dead would need another attempt.
  const place = point === 'pod.created' ? await scene.inBucket() : scene.inFolders(worker);
  const text = `rebuild\n${worker.instance}\n`;
  await place.put('one', text);
  const scan = await scene.start(worker, place);
  expect(await worker.ended()).toBe('SIGKILL');
  return { worker, place, scan, sha256: sha256Of(text) };
}

test('F1 the worker is killed after the pod was made and before that is known: the next try adopts that pod', async () => {
  const { worker, place, scan } = await crashed('pod.created');
  const [made, ...others] = worker.events('pod.created');
  expect(others).toEqual([]);
  await worker.restart(survives);
  const { outcomes } = await scene.expectSound(worker, place, scan);
  expect(outcomes.rebuilt).toBe(1);
  expect(worker.events('pod.adopted').map(({ uid }) => uid)).toEqual([made?.uid]);
  expect(worker.events('result.committed')).toHaveLength(1);
}, 600_000);

test('F2 the worker is killed while it waits and the pod ends meanwhile: its end is read, its upload counts', async () => {
  const worker = await scene.worker();
  // From bucket to bucket, so that a pod needs no worker to end well.
  const place = await scene.inBucket();
  await place.put('one', `slow 3\n${worker.instance}\n`);
  const scan = await scene.start(worker, place);
  await until(async () => (await scene.podsOf(worker)).some(inEngine));
  await worker.kill();
  await until(async () => (await scene.podsOf(worker))[0]?.status?.phase === 'Succeeded');
  await worker.restart();
  const { outcomes } = await scene.expectSound(worker, place, scan);
  expect(outcomes.rebuilt).toBe(1);
}, 600_000);

test('F3 the pod ended and was deleted before anyone looked: a new attempt that is not counted', async () => {
  const worker = await scene.worker();
  const place = await scene.inBucket();
  const text = `slow 3\n${worker.instance}\n`;
  await place.put('one', text);
  const scan = await scene.start(worker, place, { retries: 0 });
  await until(async () => (await scene.podsOf(worker)).some(inEngine));
  await worker.kill();
  await until(async () => (await scene.podsOf(worker))[0]?.status?.phase === 'Succeeded');
  const [pod] = await scene.podsOf(worker);
  await scene.deletePod(pod?.metadata?.name ?? '');
  await until(async () => (await scene.podsOf(worker)).length === 0);
  await worker.restart();
  const { outcomes } = await scene.expectSound(worker, place, scan, { [sha256Of(text)]: 2 });
  expect(outcomes.rebuilt).toBe(1);
  expect(worker.events('pod.ended').map(({ kind }) => kind)).toEqual(['gone', 'uploaded']);
}, 600_000);

test('F3 the pod was deleted after its receipt was written and before that is known: the receipt counts', async () => {
  const { worker, place, scan } = await crashed('result.committed');
  const [pod] = await scene.podsOf(worker);
  await scene.deletePod(pod?.metadata?.name ?? '');
  await until(async () => (await scene.podsOf(worker)).length === 0);
  await worker.restart(survives);
  const { outcomes } = await scene.expectSound(worker, place, scan);
  expect(outcomes.rebuilt).toBe(1);
  expect(worker.events('pod.created')).toHaveLength(1);
}, 600_000);

describe('F4', () => {
  test.each([
    ['between receipt and record', 'result.committed'],
    ['between record and the workflow\u2019s knowing', 'result.recorded'],
  ] as const)(
    'F4 the worker is killed %s: found by the receipt, recorded, unlocked',
    async (_, point) => {
      const { worker, place, scan, sha256 } = await crashed(point);
      await worker.restart(survives);
      const { outcomes, profile } = await scene.expectSound(worker, place, scan);
      expect(outcomes.rebuilt).toBe(1);
      expect(await findRecords(worker.keyPrefix, profile.fingerprint, [sha256])).toMatchObject([
        { verdict: 'rebuilt', destination: place.destination },
      ]);
    },
    300_000,
  );

  test('F4 the worker stays away longer than its lock lives: no second run', async () => {
    const ttlSeconds = 5;
    const { worker, place, scan, sha256 } = await crashed('result.committed', {
      PRISTINE_LOCK_TTL_SECONDS: String(ttlSeconds),
    });
    // pristine-<content>-<fingerprint>-a<attempt>
    const [, , fingerprint = ''] = String(worker.events('pod.created')[0]?.pod).split('-');
    expect(await findRecords(worker.keyPrefix, fingerprint, [sha256])).toEqual([null]);
    await sleep((ttlSeconds + 1) * 1000);
    expect(await listLocks(worker.keyPrefix)).toEqual([]);
    await worker.restart(survives);
    const { outcomes } = await scene.expectSound(worker, place, scan);
    expect(outcomes.rebuilt).toBe(1);
  }, 600_000);

  test('F4 the file\u2019s workflow is lost as well: the next one finds the receipt and makes no pod', async () => {
    const { worker, place, scan } = await crashed('result.committed');
    for (const { workflowId } of await scene.childrenOf(worker)) {
      await scene.client.workflow.getHandle(workflowId).terminate('by hand');
    }
    for (const pod of await scene.podsOf(worker)) await scene.deletePod(pod.metadata?.name ?? '');
    await worker.restart(survives);
    const { outcomes } = await scene.expectSound(worker, place, scan);
    expect(outcomes.delivered).toBe(1);
    expect(worker.events('result.found')).toHaveLength(1);
  }, 600_000);
});
