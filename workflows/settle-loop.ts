import { condition } from '@temporalio/workflow';
import { fileSteps } from './activity-proxies.ts';
import { afterMissing } from './after-end.ts';
import { OUTCOMES, totalOf } from './contract.ts';
import { batchLength, settledTogether } from './name-size.ts';
import { orPause } from './or-pause.ts';
import { showProgress } from './scan-messages.ts';
import { leaving, type ScanRun, still } from './scan-run.ts';
import { filesInFlight, sampled } from './scan-state.ts';

/** Outcomes are written down in batches: when this many wait, or after so long. */
const BATCH = 200;
const BATCH_WAIT = '2 seconds';

/** Delivers what is done and writes its outcome down. */
export async function settleLoop(run: ScanRun): Promise<void> {
  const { input, scanId, firstRunId, state, window, settled, busy } = run;
  const { source, destination, profile, heartbeatMs } = state.opened;
  for (;;) {
    await condition(() => run.over || settled.length > 0);
    if (run.over) return;
    if (settled.length < BATCH) {
      await condition(() => settled.length >= BATCH || nothingMoves(run) || leaving(run), BATCH_WAIT);
    }
    const files = settled.splice(0, nextBatch(run));
    busy.settling = files.length;
    const steps = fileSteps({
      summary: `deliver and write down ${files.length} ${files.length === 1 ? 'file' : 'files'}`,
      heartbeatMs,
    });
    const { counts, missing } = await orPause(state, () =>
      steps.settleFiles({
        scanId,
        firstRunId,
        part: state.nextPart,
        source,
        destination,
        profile,
        files,
        watch: input.watch !== false,
      }),
    );
    state.nextPart += 1;
    for (const outcome of OUTCOMES) state.done[outcome] += counts[outcome];
    for (const at of missing) {
      const { settled: given, again } = afterMissing(files[at]);
      settled.push(...given);
      state.queue.unshift(...again);
    }
    state.samples = sampled(state.samples, Date.now(), totalOf(state.done));
    busy.settling = 0;
    showProgress(state, filesInFlight(window.values()));
  }
}

/** No more outcomes are to come. */
function nothingMoves(run: ScanRun): boolean {
  return run.window.size === 0 && !run.busy.listing && (run.state.queue.length === 0 || still(run));
}

/** How many of those that wait go together. */
function nextBatch({ state, settled }: ScanRun): number {
  const { largestBatch } = state.opened;
  return largestBatch === undefined
    ? batchLength(settled, BATCH)
    : settledTogether(settled, BATCH, largestBatch);
}
