/** What to do after an attempt: pure, decided by how the attempts so far ended. */
import type { FailureClass } from '../drivers/ports.ts';

export type AttemptFailure = { class: FailureClass | 'gone'; reason: string };

export type NextStep =
  | { kind: 'retry'; delayMs: number; tier: number }
  | { kind: 'quarantine'; reason: string }
  /** Nothing a fresh pod would mend: a person must. */
  | { kind: 'blocked'; reason: string };

export type RetryLimits = {
  /** Counted attempts after the first. */
  retries: number;
  /** Highest size step of the engine. */
  maxTier: number;
};

/** Uncounted failures in a row of one content before we stop believing that the next pod will do better. */
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
 * The design's table of failure classes:
 * configuration -> blocked at once · disruption, gone, capacity -> again, uncounted, bounded by
 * UNCOUNTED_LIMIT · resource -> again one size up · crash, transfer -> again in a fresh pod · counted ones
 * more than `retries` -> quarantine.
 */
export function nextStep(failures: readonly AttemptFailure[], limits: RetryLimits): NextStep {
  const last = failures.at(-1);
  if (last === undefined) throw new Error('nextStep needs at least one failure');
  if (last.class === 'configuration') return { kind: 'blocked', reason: last.reason };

  const counted = failures.filter((failure) => COUNTED[failure.class]).length;
  const uncounted = failures.length - counted;
  const tier = Math.min(failures.filter((failure) => failure.class === 'resource').length, limits.maxTier);

  if (counted > limits.retries) {
    return { kind: 'quarantine', reason: `${last.reason} (${counted} of ${limits.retries + 1} attempts)` };
  }
  if (uncounted >= UNCOUNTED_LIMIT) {
    return { kind: 'quarantine', reason: `${last.reason} (${uncounted} pods lost without a verdict)` };
  }
  return { kind: 'retry', delayMs: delayMs(last.class, counted, uncounted), tier };
}

function delayMs(failure: AttemptFailure['class'], counted: number, uncounted: number): number {
  if (failure === 'capacity') return 15_000;
  const step = COUNTED[failure] ? counted : uncounted;
  return Math.min(1_000 * 2 ** (step - 1), 30_000);
}
