/** What to do after an attempt: pure, decided by how the attempts so far ended. */
import type { FailureClass } from '../drivers/ports.ts';

export type AttemptFailure = { class: FailureClass | 'gone'; reason: string };

export type NextStep =
  /** A counted attempt is used up: Temporal begins the next run of the workflow after this delay. */
  | { kind: 'next-run'; delayMs: number }
  /** Not the content's fault: again within this run. */
  | { kind: 'again'; delayMs: number }
  | { kind: 'quarantine'; reason: string }
  /** Nothing a fresh pod would mend: a person must. */
  | { kind: 'blocked'; reason: string };

/** Uncounted failures of one content before we stop believing that the next pod will do better. */
export const UNCOUNTED_LIMIT = 20;

const COUNTED: Record<AttemptFailure['class'], boolean> = {
  disruption: false,
  gone: false,
  capacity: false,
  configuration: false,
  resource: true,
  crash: true,
  transfer: true,
};

/**
 * The table "Failure classes" of docs/architecture.md, for the last of `failures` (which holds no capacity: see
 * waitForRoomMs):
 * configuration -> blocked at once · disruption, gone -> again, uncounted, at most UNCOUNTED_LIMIT times ·
 * resource, crash, transfer -> next run, until more than `retries` were counted -> quarantine.
 */
export function nextStep(failures: readonly AttemptFailure[], retries: number): NextStep {
  const last = failures.at(-1);
  if (last === undefined) throw new Error('nextStep needs at least one failure');
  if (last.class === 'configuration') return { kind: 'blocked', reason: last.reason };

  const counted = failures.filter((failure) => COUNTED[failure.class]).length;
  const uncounted = failures.length - counted;
  if (counted > retries) {
    return { kind: 'quarantine', reason: `${last.reason} (${counted} of ${retries + 1} attempts)` };
  }
  if (uncounted >= UNCOUNTED_LIMIT) {
    return { kind: 'quarantine', reason: `${last.reason} (${uncounted} pods lost without a verdict)` };
  }
  if (COUNTED[last.class]) return { kind: 'next-run', delayMs: backOffMs(counted) };
  return { kind: 'again', delayMs: backOffMs(uncounted) };
}

/** The engine's size: one step up for each time that it was too small. */
export function nextTier(failures: readonly AttemptFailure[], maxTier: number): number {
  return Math.min(failures.filter((failure) => failure.class === 'resource').length, maxTier);
}

/** How long to wait for room in the cluster, the nth time in a row (from 1): 15 seconds to 5 minutes. */
export function waitForRoomMs(nth: number): number {
  return Math.min(15_000 * 2 ** (nth - 1), 300_000);
}

function backOffMs(nth: number): number {
  return Math.min(1_000 * 2 ** (nth - 1), 30_000);
}
