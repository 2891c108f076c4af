/** A worker whose log nobody takes: it works on, says what was lost, and ends when it is told to. */
import { closeSync, openSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ScanSummary } from '../../workflows/contract.ts';
import { until } from '../contract/until.ts';
import { expectAccounted, expectOneReceiptEach } from '../integration/oracle.ts';
import type { WorkerProcess } from '../integration/worker-process.ts';
import { openLogPipe } from './log-pipe.ts';
import type { Places } from './places.ts';
import { inEngine, openScene, type Scene } from './scene.ts';

let scene: Scene;
const closing: (() => void)[] = [];

beforeAll(async () => {
  scene = await openScene();
}, 600_000);
afterAll(async () => {
  await scene?.close();
  for (const close of closing) close();
}, 600_000);

const FILES = 4;

/** A worker whose log goes there, of which little may wait, and files for it. */
async function withLogTo(stdout: number) {
  const worker = await scene.worker({ TEST_LOG_BYTES: '2000' }, { stdout });
  const place = scene.inFolders(worker);
  for (let file = 0; file < FILES; file++) await place.put(`${file}`, `slow 2\n${worker.instance} ${file}\n`);
  return { worker, place };
}

/** Without the worker's log: the books, the receipts, the clean side. */
async function expectAllRebuilt(place: Places, scan: { workflowId: string; result(): Promise<ScanSummary> }) {
  const summary = await scan.result();
  expect(summary.outcomes).toMatchObject({ rebuilt: FILES });
  const { source, destination } = await place.see();
  expectAccounted(source, destination, scan.workflowId, summary);
  expectOneReceiptEach({ workers: [], source, destination, scan: scan.workflowId, summary });
}

async function lostLines(worker: WorkerProcess): Promise<number> {
  const metrics = await worker.metrics();
  return Number(/^pristine_log_lines_dropped_total (\d+)$/m.exec(metrics)?.[1]);
}

test('F43 nobody reads the log any more: the scan ends well, and what was lost is said once somebody does', async () => {
  const pipe = openLogPipe();
  closing.push(pipe.close);
  const { worker, place } = await withLogTo(pipe.writer);
  expect(pipe.read()).toContain('"event":"worker.started"');
  pipe.fill();
  await expectAllRebuilt(place, await scene.start(worker, place));
  const lost = await lostLines(worker);
  expect(lost).toBeGreaterThan(FILES);

  let text = '';
  await until(async () => {
    // A line to be taken, whatever the worker does by itself.
    await (await scene.start(worker, place)).result();
    text += pipe.read();
    return text.includes('"event":"log.dropped"');
  });
  const said = text.split('\n').find((line) => line.includes('"event":"log.dropped"'));
  expect(JSON.parse(said ?? '').lines).toBeGreaterThanOrEqual(lost);

  pipe.fill();
  expect(await worker.stop()).toBe(0);
}, 600_000);

test('F43 who reads the log dies in mid-scan: the scan ends well, and the worker when it is told to', async () => {
  const pipe = openLogPipe();
  closing.push(pipe.close);
  const { worker, place } = await withLogTo(pipe.writer);
  const scan = await scene.start(worker, place);
  await until(async () => (await scene.podsOf(worker)).some(inEngine));
  pipe.breakOff();
  await expectAllRebuilt(place, scan);
  expect(await lostLines(worker)).toBeGreaterThan(FILES);
  expect(await worker.stop()).toBe(0);
}, 600_000);

test('F43 the log\u2019s disk is full: the scan ends well, and the worker when it is told to', async () => {
  const full = openSync('/dev/full', 'w');
  closing.push(() => closeSync(full));
  const { worker, place } = await withLogTo(full);
  await expectAllRebuilt(place, await scene.start(worker, place));
  expect(await lostLines(worker)).toBeGreaterThan(FILES);
  expect(await worker.stop()).toBe(0);
}, 600_000);
