import {
  CancellationScope,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  isCancellation,
  workflowInfo,
} from '@temporalio/workflow';
import { fileSteps, openingSteps } from './activity-proxies.ts';
import type { ScanSummary } from './contract.ts';
import { fileWorkflowId } from './contract.ts';
import { listLoop } from './list-loop.ts';
import { parseScanInput } from './messages.ts';
import { orPause } from './or-pause.ts';
import { answerMessages } from './scan-messages.ts';
import { idle, leaving, newRun, passDone, type ScanRun } from './scan-run.ts';
import type { ScanState } from './scan-state.ts';
import { filesInFlight, firstState } from './scan-state.ts';
import { settleLoop } from './settle-loop.ts';
import { takeOver, workLoop } from './work-loop.ts';

/**
 * One run over one source. Three loops share the state: one lists and hashes ahead, one keeps at most
 * `parallelFiles` children in work, one writes outcomes down. Nothing here grows with the number of files.
 */
export async function scan(given: unknown, carried?: ScanState): Promise<ScanSummary> {
  const input = parseScanInput(given);
  const { workflowId: scanId, firstExecutionRunId: firstRunId } = workflowInfo();
  const state =
    carried ??
    firstState(await openingSteps().openScan({ ...input, firstRunId }), input.parallelFiles, Date.now());

  const run = newRun({ input, scanId, firstRunId, state });
  const { window } = run;
  answerMessages(state, () => ({
    inFlight: filesInFlight(window.values()),
    inWork: window.size,
    settling: run.settled.length + run.busy.settling,
  }));
  for (const content of state.inFlight.splice(0)) takeOver(run, content);
  for (const loop of [listLoop(run), workLoop(run), settleLoop(run)]) loop.catch(run.fail);

  try {
    for (;;) {
      await Promise.race([
        run.broken,
        condition(() => passDone(run) || readyToLeave(run) || dropsQueue(state)),
      ]);
      // Whatever comes of a wait is asked again: between the wait's end and here a content may have ended.
      if (dropsQueue(state)) {
        // Listed and not begun: a drained scan does not account for them, a later one lists them again.
        state.listed -= state.queue.length;
        state.dropped.push(...state.queue.map((file) => file.name));
        state.queue = [];
      } else if (passDone(run)) {
        if (input.watch === false || state.draining) {
          run.over = true;
          return await finish(run);
        }
        await nextPass(run);
      } else if (readyToLeave(run)) {
        run.over = true;
        return await continueAsNew<typeof scan>(input, { ...state, inFlight: [...window.values()] });
      }
    }
  } catch (error) {
    if (isCancellation(error)) await CancellationScope.nonCancellable(() => cancelCarried(run));
    throw error;
  }
}

function dropsQueue(state: ScanState): boolean {
  return state.draining && state.queue.length > 0;
}

function readyToLeave(run: ScanRun): boolean {
  return leaving(run) && idle(run);
}

/** A watching scan lists again after its interval, or at once when it is drained or must continue as new. */
async function nextPass(run: ScanRun): Promise<void> {
  const { input, state, broken } = run;
  const seconds = input.watch === true ? 30 : Number(input.watch);
  await Promise.race([broken, condition(() => state.draining || leaving(run), seconds * 1000)]);
  if (state.draining) return;
  await condition(() => state.paused === null || state.draining);
  state.pass += 1;
  state.cursor = null;
  state.listingComplete = false;
}

async function finish({ state, scanId, firstRunId }: ScanRun): Promise<ScanSummary> {
  const { source, destination, profile, heartbeatMs } = state.opened;
  const steps = fileSteps({ summary: 'manifest and summary', heartbeatMs });
  const summary = await orPause(state, () =>
    steps.finishScan({
      scanId,
      firstRunId,
      source,
      destination,
      profile,
      startedAt: state.startedAt,
      pages: state.nextPage - 1,
      parts: state.nextPart - 1,
      dropped: state.dropped,
      listed: state.listed,
      counts: state.done,
    }),
  );
  const tidying = fileSteps({ summary: 'tidy up', heartbeatMs });
  await orPause(state, () => tidying.clearScan({ scanId, destination }));
  return summary;
}

/** Children of this run are cancelled with it; those of earlier runs must be told. */
async function cancelCarried({ state, window, followers }: ScanRun): Promise<void> {
  const ours = [...window.values()].filter((content) => content.ours);
  await Promise.allSettled(
    ours.map((content) =>
      getExternalWorkflowHandle(fileWorkflowId(content.sha256, state.opened.profile.fingerprint)).cancel(),
    ),
  );
  await Promise.allSettled(followers);
}
