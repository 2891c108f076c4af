import { workflowInfo } from '@temporalio/workflow';
import type { ScanInput } from './contract.ts';
import type { InFlight, ScanState, SettledFile } from './scan-state.ts';

/** What the loops of one run share. What the next run takes over is in `state`, and what is left in `window`. */
export type ScanRun = {
  input: ScanInput;
  scanId: string;
  firstRunId: string;
  state: ScanState;
  /** Contents in work, by sha256. */
  window: Map<string, InFlight>;
  /** Wait to be written down. */
  settled: SettledFile[];
  busy: { listing: boolean; starting: number; settling: number };
  /** One a content put in work by this run, so bounded by the history's length. */
  followers: Promise<void>[];
  /** Contents, by sha256, that were not processed by our own fault: they count once for the circuit breaker. */
  unprocessed: Set<string>;
  /** Set once the loops are to end. */
  over: boolean;
  /** Rejects when a loop or a follower fails before that; never resolves. */
  broken: Promise<never>;
  /** Takes the failure of a loop or a follower. */
  fail(error: unknown): void;
};

export function newRun(from: Pick<ScanRun, 'input' | 'scanId' | 'firstRunId' | 'state'>): ScanRun {
  let reject: (error: unknown) => void;
  const broken = new Promise<never>((_, rejects) => {
    reject = rejects;
  });
  const run: ScanRun = {
    ...from,
    window: new Map(),
    settled: [],
    busy: { listing: false, starting: 0, settling: 0 },
    followers: [],
    unprocessed: new Set(),
    over: false,
    broken,
    fail(error) {
      if (!run.over) reject(error);
    },
  };
  return run;
}

/** Its history is long: it continues as new. */
export function leaving({ state }: ScanRun): boolean {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  return continueAsNewSuggested || historyLength > (state.opened.historyLimit ?? Number.POSITIVE_INFINITY);
}

/** Nothing more is listed or begun. */
export function still(run: ScanRun): boolean {
  return run.state.paused !== null || run.state.draining || leaving(run);
}

/** No step of the scan's own runs, and no outcome waits. */
export function idle({ busy, settled }: ScanRun): boolean {
  return !busy.listing && busy.starting === 0 && busy.settling === 0 && settled.length === 0;
}

/** Whatever was listed has its outcome, and there is no more. */
export function passDone(run: ScanRun): boolean {
  const { state, window } = run;
  return (
    (state.listingComplete || state.draining) && state.queue.length === 0 && window.size === 0 && idle(run)
  );
}
