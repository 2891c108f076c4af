import { defineQuery, defineSignal, defineUpdate, setCurrentDetails, setHandler } from '@temporalio/workflow';
import type { Progress } from './contract.ts';
import { OUTCOMES, QUERY, SIGNAL, totalOf, UPDATE } from './contract.ts';
import { checkParallelFiles, invalidInput } from './messages.ts';
import type { ScanState } from './scan-state.ts';
import { progressOf } from './scan-state.ts';
import { shrunk } from './window.ts';

export const setParallelFiles = defineUpdate<number, [number]>(UPDATE.setParallelFiles);
export const pause = defineUpdate<void, [string | undefined]>(UPDATE.pause);
export const resume = defineUpdate<void>(UPDATE.resume);
export const drain = defineUpdate<void>(UPDATE.drain);
export const capacityShort = defineSignal<[string]>(SIGNAL.capacityShort);
export const progress = defineQuery<Progress>(QUERY.progress);

/**
 * The updates of the contract, the children's signal and the progress query. A validator that throws refuses its
 * update. `inFlight` counts names, `inWork` contents.
 */
export function answerMessages(
  state: ScanState,
  counts: () => { inFlight: number; inWork: number; settling: number },
): void {
  setHandler(capacityShort, (reason) => {
    state.shortage = shrunk(state.shortage, counts().inWork, reason, Date.now());
  });
  setHandler(progress, () => {
    const { inFlight, settling } = counts();
    return progressOf(state, inFlight, settling, Date.now());
  });
  setHandler(
    setParallelFiles,
    (files) => {
      state.parallelFiles = files;
      return files;
    },
    { validator: checkParallelFiles },
  );
  setHandler(
    pause,
    (reason) => {
      state.paused = reason ?? 'paused by an operator';
    },
    {
      validator: (reason) => {
        if (reason !== undefined && (typeof reason !== 'string' || reason.length > 500)) {
          throw invalidInput('pause: the reason must be a text of at most 500 characters');
        }
      },
    },
  );
  setHandler(
    resume,
    () => {
      state.paused = null;
      state.recent = [];
    },
    {
      validator: () => {
        if (state.paused === null) throw invalidInput('resume: this scan is not paused');
      },
    },
  );
  setHandler(drain, () => {
    state.draining = true;
    state.paused = null;
  });
}

/** A few lines of Markdown on the scan's own page in the Web UI. */
export function showProgress(state: ScanState, inFlight: number): void {
  const done = OUTCOMES.filter((outcome) => state.done[outcome] > 0)
    .map((outcome) => `| ${outcome} | ${state.done[outcome]} |`)
    .join('\n');
  setCurrentDetails(
    `**${totalOf(state.done)} of ${state.listed}** listed files done, ${inFlight} in work` +
      `${state.paused === null ? '' : `. **Paused:** ${state.paused}`}` +
      `${state.shortage === null ? '' : `. **No room:** ${state.shortage.reason}`}\n\n| outcome | files |\n|---|---|\n${done}`,
  );
}
