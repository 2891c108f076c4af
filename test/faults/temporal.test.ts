/** Temporal that is killed, that forgets, and what must never be too large for it. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import proto from '@temporalio/proto';
import type { ScanSummary } from '../../workflows/contract.ts';
import { until } from '../contract/until.ts';
import { readManifest } from '../integration/oracle.ts';
import type { WorkerProcess } from '../integration/worker-process.ts';
import { forgetRecords } from './index-records.ts';
import { type OwnTemporal, ownTemporal } from './own-temporal.ts';
import { inEngine, openScene, type Scene, sha256Of } from './scene.ts';

let temporal: OwnTemporal;
let scene: Scene;
let worker: WorkerProcess;

beforeAll(async () => {
  temporal = await ownTemporal();
  await temporal.start();
  scene = await openScene(temporal.address);
  worker = await scene.worker();
}, 180_000);
afterAll(async () => {
  await scene?.close();
  await temporal?.close();
}, 600_000);

const { HistoryEvent } = proto.temporal.api.history.v1;
const { EventType } = proto.temporal.api.enums.v1;

/** Temporal refuses a payload of 2 MB, and an answer of 4 MB together: no event comes near. */
const EVENT_LIMIT = 1024 * 1024;

/** In small pages: one answer holds 4 MB. */
async function* eventsOf({ workflowId }: WorkflowHandle) {
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await scene.connection.workflowService.getWorkflowExecutionHistory({
      namespace: 'default',
      execution: { workflowId },
      maximumPageSize: 20,
      ...(nextPageToken === undefined ? {} : { nextPageToken }),
    });
    yield* page.history?.events ?? [];
    nextPageToken = page.nextPageToken?.length ? page.nextPageToken : undefined;
  } while (nextPageToken !== undefined);
}

async function expectEasyHistory(handle: WorkflowHandle): Promise<void> {
  const events = await Array.fromAsync(eventsOf(handle));
  const failed = events.filter(({ eventType }) => eventType === EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED);
  expect(failed).toEqual([]);
  const sizes = events.map((event) => HistoryEvent.encode(event).finish().length);
  expect(Math.max(...sizes)).toBeLessThan(EVENT_LIMIT);
}

/** Deletes what has closed on the worker's queue, as the end of its retention does. */
async function endRetention(): Promise<void> {
  const query = `TaskQueue="${worker.taskQueue}" AND ExecutionStatus!="Running"`;
  const closed = await Array.fromAsync(scene.client.workflow.list({ query }));
  expect(closed.length).toBeGreaterThan(0);
  for (const { workflowId, runId } of closed) {
    await scene.connection.workflowService.deleteWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId, runId },
    });
  }
  for (const { workflowId, runId } of closed) {
    await until(() =>
      scene.client.workflow
        .getHandle(workflowId, runId)
        .describe()
        .then(
          () => false,
          () => true,
        ),
    );
  }
}

describe('F13', () => {
  test('F13 Temporal is killed in the middle and comes back: the scan goes on, nothing is done twice', async () => {
    const place = scene.inFolders(worker);
    for (let n = 0; n < 4; n++) await place.put(`file-${n}`, `slow 6\n${place.source} away ${n}\n`);
    const scan = await scene.start(worker, place, { parallelFiles: 2 });
    await until(async () => (await scene.podsOf(worker)).filter(inEngine).length === 2);
    await temporal.kill();
    // Both pods end, and nobody can be told.
    await until(async () => (await scene.podsOf(worker)).every((pod) => pod.status?.phase === 'Succeeded'));
    await temporal.start();
    const { outcomes } = await scene.expectSound(worker, place, scan);
    expect(outcomes.rebuilt).toBe(4);
  }, 400_000);

  test('F13 Temporal has forgotten the files: the record prevents a second run; without it, the receipt', async () => {
    const place = scene.inFolders(worker);
    const texts = ['one', 'two'].map((name) => `rebuild\n${place.source} forgotten ${name}\n`);
    for (const [n, text] of texts.entries()) await place.put(`file-${n}`, text);
    const summary = await scene.expectSound(worker, place, await scene.start(worker, place));
    expect(summary.outcomes.rebuilt).toBe(2);

    await endRetention();
    const byRecord = await scene.start(worker, place);
    expect((await scene.expectSound(worker, place, byRecord)).outcomes.delivered).toBe(2);
    expect(await scene.childrenOf(worker)).toEqual([]);

    await endRetention();
    await forgetRecords(worker.keyPrefix, summary.profile.fingerprint, texts.map(sha256Of));
    const byReceipt = await scene.start(worker, place);
    expect((await scene.expectSound(worker, place, byReceipt)).outcomes.delivered).toBe(2);
    expect(worker.events('result.found')).toHaveLength(2);
  }, 400_000);
});

describe('F14', () => {
  test('F14 an engine with a 100 KB reason and one with a flood of logs: both are cut before they are sent', async () => {
    const place = scene.inFolders(worker);
    const long = 'reason-'.repeat(15_000);
    await place.put('by-file', `refuse ${long}\n${place.source}\n`);
    await place.put('by-exit', `refuse-by-exit ${long}\n${place.source}\n`);
    await place.put('flood', `flood 20\n${place.source}\n`);
    const scan = await scene.start(worker, place);
    const { outcomes } = await scene.expectSound(worker, place, scan);
    expect(outcomes).toMatchObject({ rebuilt: 1, refused: 2 });
    const { destination } = await place.see();
    for (const { outcome, reason } of readManifest(destination, scan.workflowId)) {
      if (outcome !== 'refused') continue;
      expect(reason).toMatch(/reason-reason-/);
      expect(reason?.length).toBeLessThan(1_000);
    }
    await expectEasyHistory(scan);
    for (const { workflowId } of await scene.childrenOf(worker)) {
      await expectEasyHistory(scene.client.workflow.getHandle(workflowId));
    }
  }, 600_000);

  /** About as long as a path can be, and two pages of them. */
  const longNames = (letter: string) => {
    const folder = Array.from({ length: 14 }, () => letter.repeat(240)).join('/');
    return Array.from({ length: 230 }, (_, n) => `${folder}/${letter.repeat(180)}-${n}`);
  };

  test.each([
    ['plain', 'n'],
    ['that JSON writes six times as long', '\u0001'],
  ])(
    'F14 pages of names of 3.5 KB, %s: listed, delivered and written down',
    async (_, letter) => {
      const place = scene.inFolders(worker);
      const names = longNames(letter);
      for (const name of names) await place.put(name, `rebuild\n${place.source} ${letter.codePointAt(0)}\n`);
      const scan = await scene.start(worker, place);
      // Oversized answers would be tried again for hours: better to see it now.
      const late = new Promise<never>((_resolve, reject) => {
        setTimeout(() => reject(new Error('the scan did not end within two minutes')), 120_000).unref();
      });
      await Promise.race([scan.result(), late]);
      const { outcomes } = await scene.expectSound(worker, place, scan);
      expect(outcomes.rebuilt + outcomes.delivered).toBe(names.length);
      await expectEasyHistory(scan);
    },
    300_000,
  );

  test('F14 a driver with much to say: its message is cut', async () => {
    const store = createServer((_request, response) => {
      const message = 'no '.repeat(1_000_000);
      response.writeHead(403, { 'content-type': 'application/xml' });
      response.end(`<Error><Code>AccessDenied</Code><Message>${message}</Message></Error>`);
    }).listen(0, '127.0.0.1');
    await once(store, 'listening');
    const { port } = store.address() as AddressInfo;
    const other = await scene.worker({ AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}` });
    const place = scene.inFolders(other);
    // As long as a source may be.
    const nowhere = `${place.source}/`.padEnd(2_048, 'nowhere/');
    for (const [source, told] of [
      ['s3://talkative/in/', /AccessDenied/],
      [nowhere, /"source": given file:/],
    ] as const) {
      const scan = await scene.start(other, { ...place, source });
      const failure: unknown = await (scan.result() as Promise<ScanSummary>).catch((error: unknown) => error);
      const messages: string[] = [];
      for (let at = failure; at instanceof Error; at = at.cause) messages.push(at.message);
      expect(messages.join('\n')).toMatch(told);
      for (const message of messages) expect(message.length).toBeLessThanOrEqual(2_000);
      await expectEasyHistory(scan);
    }
    store.close();
  }, 180_000);
});
