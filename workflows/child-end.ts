/** How a `rebuildFile` that failed is to be understood, by its own parent and by a scan that attached to it. */
import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import type { FileResult } from './contract.ts';
import { FAILURE } from './file-failures.ts';

export type ChildEnd =
  | { kind: 'result'; result: FileResult }
  /** A person must mend something first. */
  | { kind: 'blocked'; reason: string }
  /** Terminated, cancelled, timed out or unknown: the content wants a new child. */
  | { kind: 'lost' };

/** `cause` is the child's own failure, below ChildWorkflowFailure or WorkflowFailedError. */
export function childEnd(cause: unknown): ChildEnd {
  if (cause instanceof ApplicationFailure && cause.type === FAILURE.noResult) {
    const [result] = (cause.details ?? []) as FileResult[];
    if (result !== undefined) return { kind: 'result', result };
  }
  if (cause instanceof ApplicationFailure && cause.type === FAILURE.blocked) {
    return { kind: 'blocked', reason: cause.message };
  }
  if (cause instanceof ActivityFailure || cause instanceof ApplicationFailure) {
    // No record is written for these: the trouble was ours, and the next scan tries again.
    const reason = cause instanceof ActivityFailure ? (cause.cause?.message ?? cause.message) : cause.message;
    return {
      kind: 'result',
      result: { outcome: 'quarantined', class: 'unprocessed', reason, attempts: 0, reused: false },
    };
  }
  return { kind: 'lost' };
}
