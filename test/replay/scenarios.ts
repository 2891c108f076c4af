/**
 * Every way that a workflow of ours can go, run on a real Temporal with activities in memory. What each leaves is a
 * history to be replayed by later versions of the code; see record.ts. Names are the files' names.
 */
import type { Collected } from '../../activities/collect-result.ts';
import { fileWorkflowId, UPDATE, WORKFLOW } from '../../workflows/contract.ts';
import { until } from '../contract/until.ts';
import type { Harness, Options, Run } from '../workflow/harness.ts';
import { committed, files, gate, good, progressOf } from '../workflow/harness.ts';

/** Workflow IDs whose histories are kept, by the name of the file: all runs of each. */
export type Kept = Record<string, string>;
export type Scenario = (harness: Harness) => Promise<Kept>;

const failed = (failure: 'crash' | 'resource' | 'disruption' | 'capacity' | 'configuration'): Collected => ({
  kind: 'failed',
  class: failure,
  reason: `because of ${failure}`,
});
const sha256 = (n: number) => String(n).padStart(64, '0');

/** One scan to its end, however it ends; keeps the scan and, by number, some of its children. */
function scanOf(
  options: Options,
  input: Record<string, unknown>,
  keep: (run: Run) => Kept,
  beside: (run: Run) => Promise<unknown> = async () => {},
): Scenario {
  return (harness) =>
    harness.withScan(options, input, async (run) => {
      await beside(run);
      await run.handle.result().catch(() => {});
      return keep(run);
    });
}

const child = (run: Run, n: number) => fileWorkflowId(sha256(n), run.fingerprint);
const scan = (name: string) => (run: Run) => ({ [`scan-${name}`]: run.scanId });
const first = (name: string) => (run: Run) => ({ [`file-${name}`]: child(run, 0) });
const both = (name: string) => (run: Run) => ({ ...scan(name)(run), ...first(name)(run) });

function paused(): Scenario {
  let mended = false;
  const ends = () => (mended ? committed : failed('configuration'));
  return scanOf({ files: files(3), ends }, {}, both('paused-for-a-person'), async (run) => {
    await until(async () => (await progressOf(run)).state === 'paused');
    await until(async () => (await progressOf(run)).inFlight === 0);
    mended = true;
    await run.handle.executeUpdate(UPDATE.resume);
  });
}

function steered(): Scenario {
  const { opened, open } = gate();
  const ends = async () => opened.then(() => committed);
  return scanOf({ files: files(60), ends }, { parallelFiles: 3 }, scan('steered'), async (run) => {
    await until(async () => (await progressOf(run)).inFlight === 3);
    await run.handle.executeUpdate(UPDATE.setParallelFiles, { args: [5] });
    await run.handle.executeUpdate(UPDATE.pause, { args: ['lunch'] });
    open();
    await until(async () => (await progressOf(run)).inFlight === 0);
    await run.handle.executeUpdate(UPDATE.resume);
    await run.handle.executeUpdate(UPDATE.drain);
  });
}

function attached(): Scenario {
  const { opened, open } = gate();
  const ends = async () => opened.then(() => committed);
  return (harness) =>
    harness.withScan({ files: files(3), ends }, {}, async (run) => {
      await until(async () => (await progressOf(run)).inFlight === 3);
      const second = await harness.start(good, `${run.scanId}-second`, `queue-${run.fingerprint}`);
      await until(async () => (await progressOf({ ...run, handle: second })).inFlight === 3);
      open();
      await Promise.all([run.handle.result(), second.result()]);
      return { 'scan-attached': second.workflowId };
    });
}

function cancelled(): Scenario {
  const { opened, open } = gate();
  const ends = async () => opened.then(() => committed);
  return scanOf({ files: files(3), ends }, {}, both('cancelled'), async (run) => {
    await until(async () => (await progressOf(run)).inFlight === 3);
    await run.handle.cancel();
    open();
  });
}

function watching(): Scenario {
  const options = { files: files(2) };
  return scanOf(options, { watch: 1 }, scan('watching'), async (run) => {
    await until(async () => (await progressOf(run)).pass > 2);
    await run.handle.executeUpdate(UPDATE.drain);
  });
}

function noRoom(): Scenario {
  let full = true;
  const refuses = () => (full ? { type: 'kubernetes.quota', message: 'exceeded quota' } : undefined);
  return scanOf({ files: files(2), refuses }, {}, both('no-room'), async (run) => {
    await until(async () => (await progressOf(run)).state === 'waiting');
    full = false;
  });
}

function refusedPod(): Scenario {
  let mended = false;
  const refuses = () =>
    mended ? undefined : { type: 'kubernetes.forbidden', message: 'the policy says no' };
  return scanOf({ files: files(1), refuses }, {}, first('refused-pod'), async (run) => {
    await until(async () => (await progressOf(run)).state === 'paused');
    await until(async () => (await progressOf(run)).inFlight === 0);
    mended = true;
    await run.handle.executeUpdate(UPDATE.resume);
  });
}

function retriedByHand(): Scenario {
  return (harness) =>
    harness.withScan({ files: [] }, {}, async (run) => {
      await run.handle.result();
      const input = { destination: good.destination, all: true };
      const handle = await harness.startOther(WORKFLOW.retryQuarantined, input, run);
      await handle.result();
      return { 'retry-quarantined': handle.workflowId };
    });
}

const known = new Set([sha256(0), sha256(1), sha256(2)]);

export const SCENARIOS: Scenario[] = [
  scanOf({ files: files(8, 6), searchAttributes: true }, { parallelFiles: 3 }, both('rebuilt')),
  scanOf({ files: files(40), historyLimit: 60 }, { parallelFiles: 4 }, scan('continued')),
  scanOf({ files: files(3), known }, {}, scan('known')),
  scanOf({ files: files(3), known }, { mode: 'force' }, scan('forced')),
  scanOf({ files: files(3), known, missing: new Set([sha256(1)]) }, {}, scan('missing')),
  scanOf({ files: [] }, {}, scan('empty')),
  scanOf({ files: [] }, { parallelFiles: 0 }, scan('wrong-input')),
  scanOf({ files: [] }, { source: 'file:///nowhere' }, scan('no-source')),
  scanOf({ files: files(1), ends: () => failed('crash') }, { retries: 2 }, both('quarantined')),
  scanOf(
    { files: files(1), ends: (_, n) => (n < 3 ? failed('disruption') : committed) },
    { retries: 0 },
    first('disrupted'),
  ),
  scanOf(
    { files: files(1), ends: (_, n) => (n < 2 ? failed('resource') : committed) },
    { retries: 1 },
    first('too-small'),
  ),
  scanOf({ files: files(1), ends: () => ({ ...committed, verdict: 'refused' }) }, {}, first('refused')),
  scanOf(
    { files: files(1), ends: () => ({ kind: 'moved', outcome: 'changed', reason: 'other bytes' }) },
    {},
    both('changed'),
  ),
  scanOf(
    { files: files(8), ends: () => failed('crash') },
    { retries: 0, parallelFiles: 1, failureLimit: { share: 0.5, of: 5 } },
    scan('circuit-broken'),
    async (run) => {
      await until(async () => (await progressOf(run)).state === 'paused');
      await run.handle.executeUpdate(UPDATE.resume);
    },
  ),
  paused(),
  steered(),
  attached(),
  cancelled(),
  watching(),
  noRoom(),
  refusedPod(),
  retriedByHand(),
];
