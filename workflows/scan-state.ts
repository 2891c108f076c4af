/** A scan's whole memory: small, bounded by the page and the window, carried over by continue-as-new. */
import type { OpenedScan } from '../activities/open-scan.ts';
import type { NotedDelivery } from '../drivers/ports.ts';
import type { Recent } from './circuit-breaker.ts';
import type { FileName, FileResult, Outcome, OutcomeCounts, Progress } from './contract.ts';
import { noOutcomes, totalOf } from './contract.ts';
import type { Shortage } from './window.ts';
import { windowOf } from './window.ts';

/** A listed file whose content is known by its hash. */
export type HashedFile = {
  name: FileName;
  size: number;
  sha256: string;
  version: string;
  /** Times its recorded content was found missing and it was put back in the queue. */
  missing?: number;
  /** Times its workflow ended without an answer. */
  lost?: number;
};

/** A content in work: the names that wait for it. The first is the one the pod reads. */
export type InFlight = {
  sha256: string;
  files: HashedFile[];
  /** A child of this scan (of this or an earlier run), not another scan's that we wait for. */
  ours: boolean;
  /** Times its workflow ended without an answer. */
  lost: number;
};

/** A file whose outcome is known, on its way to tree and manifest. */
export type SettledFile = {
  name: FileName;
  size: number;
  version?: string | undefined;
  sha256?: string | undefined;
  outcome: Outcome;
  reason?: string | undefined;
  attempts?: number | undefined;
  pod?: string | undefined;
  /** URL of the destination that holds the receipt, for outcomes that rest on one. */
  from?: string | undefined;
  /** The profile fingerprint that the receipt lies under, where a forced scan made it. */
  fingerprint?: string | undefined;
  missing?: number | undefined;
  /** There where the file's version tells its content; `delivery`: what a scan has noted of what it left. */
  memory?: { modifiedAt: number; delivery?: NotedDelivery | undefined } | undefined;
};

export type ScanState = {
  opened: OpenedScan;
  cursor: FileName | null;
  listingComplete: boolean;
  pass: number;
  listed: number;
  done: OutcomeCounts;
  /** Numbers of the next page to be listed and of the next manifest part. */
  nextPage: number;
  nextPart: number;
  parallelFiles: number;
  paused: string | null;
  draining: boolean;
  /** The cluster had no room for a pod; null while all that are allowed fit. */
  shortage: Shortage | null;
  /** How the last contents ended, for the circuit breaker. */
  recent: Recent;
  /** Listed names that a drained scan did not begin: in no manifest. */
  dropped: FileName[];
  queue: HashedFile[];
  inFlight: InFlight[];
  /** Milliseconds since the epoch. */
  startedAt: number;
  /** Total done at some moments of about the last minute, for the rate. */
  samples: { at: number; done: number }[];
};

export function firstState(opened: OpenedScan, parallelFiles: number, now: number): ScanState {
  return {
    opened,
    cursor: null,
    listingComplete: false,
    pass: 1,
    listed: 0,
    done: noOutcomes(),
    nextPage: 1,
    nextPart: 1,
    parallelFiles,
    paused: null,
    draining: false,
    shortage: null,
    recent: [],
    dropped: [],
    queue: [],
    inFlight: [],
    startedAt: now,
    samples: [{ at: now, done: 0 }],
  };
}

/** Names that wait in the window, all contents together. */
export function filesInFlight(inFlight: Iterable<InFlight>): number {
  let files = 0;
  for (const content of inFlight) files += content.files.length;
  return files;
}

/**
 * How one content's end becomes the outcomes of the names that waited for it. A source that moved under us
 * concerns only the name that was read: the others go back to the queue.
 */
export function outcomesOf(
  content: InFlight,
  result: FileResult,
): { settled: SettledFile[]; again: HashedFile[] } {
  const [first, ...others] = content.files;
  if (first === undefined) return { settled: [], again: [] };
  // Pods of another scan, or of an earlier one, are not this file's; nor do twins make any.
  const ranHere = content.ours && !result.reused;
  const settle = (file: HashedFile, outcome: Outcome): SettledFile => ({
    ...file,
    outcome,
    reason: result.reason,
    attempts: ranHere && file === first ? result.attempts : 0,
    pod: result.pod,
    from: result.destination,
    fingerprint: result.fingerprint,
  });

  switch (result.outcome) {
    case 'changed':
    case 'gone':
      return { settled: [settle(first, result.outcome)], again: others };
    case 'rebuilt': {
      return {
        settled: [
          settle(first, ranHere ? 'rebuilt' : 'delivered'),
          ...others.map((file) => settle(file, 'delivered')),
        ],
        again: [],
      };
    }
    case 'refused':
    case 'quarantined': {
      const { outcome } = result;
      return { settled: content.files.map((file) => settle(file, outcome)), again: [] };
    }
  }
}

const RATE_WINDOW_MS = 60_000;

/** Adds a sample and forgets those older than the window, keeping one from before it. */
export function sampled(samples: ScanState['samples'], at: number, done: number): ScanState['samples'] {
  const recent = samples.filter((sample) => sample.at > at - RATE_WINDOW_MS);
  const before = samples.filter((sample) => sample.at <= at - RATE_WINDOW_MS).at(-1);
  return [...(before ? [before] : []), ...recent.slice(-30), { at, done }];
}

export function progressOf(state: ScanState, inFlight: number, settling: number, now: number): Progress {
  const done = totalOf(state.done);
  const oldest = state.samples[0] ?? { at: state.startedAt, done: 0 };
  const seconds = (now - oldest.at) / 1000;
  const filesPerSecond = seconds > 0 ? (done - oldest.done) / seconds : 0;
  const left = state.listed - done;
  return {
    state: stateWord(state, left),
    reason: state.paused ?? state.shortage?.reason,
    listed: state.listed,
    done: state.done,
    inFlight: inFlight + settling,
    queued: state.queue.length,
    listingComplete: state.listingComplete,
    parallelFiles: state.parallelFiles,
    window: windowOf(state.shortage, state.parallelFiles),
    filesPerSecond,
    etaSeconds: state.listingComplete && filesPerSecond > 0 ? left / filesPerSecond : null,
    startedAt: Math.floor(state.startedAt / 1000),
    pass: state.pass,
  };
}

function stateWord(state: ScanState, left: number): Progress['state'] {
  if (state.draining) return 'draining';
  if (state.paused !== null) return 'paused';
  if (state.shortage !== null) return 'waiting';
  if (!state.listingComplete) return 'listing';
  return left > 0 ? 'working' : 'waiting';
}
