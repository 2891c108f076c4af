/** What a `rebuildFile` fails with, and what it reads out of failures. */
import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import type { AttemptFailure } from './next-step.ts';

/** Failure types of `rebuildFile`. Only `attempt` is retried by Temporal. */
export const FAILURE = {
  attempt: 'AttemptFailed',
  noResult: 'NotRebuilt',
  blocked: 'Blocked',
  unprocessed: 'Unprocessed',
} as const;

/** The attempts that runs before this one used up: Temporal hands the last one's failure on. */
export function failuresBefore(lastFailure: unknown): AttemptFailure[] {
  if (!(lastFailure instanceof ApplicationFailure) || lastFailure.type !== FAILURE.attempt) return [];
  const [failures] = (lastFailure.details ?? []) as AttemptFailure[][];
  return [...(failures ?? [])];
}

/** What keeps a pod from being made: no room in the quota, or somebody's mistake. undefined: something else. */
export function podRefused(error: unknown): AttemptFailure | undefined {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  if (!(cause instanceof ApplicationFailure)) return undefined;
  switch (cause.type) {
    case 'kubernetes.quota':
      return { class: 'capacity', reason: cause.message };
    case 'kubernetes.forbidden':
    case 'kubernetes.invalid':
    case 'kubernetes.conflict':
    case 'config.invalid':
    case 'InvalidInput':
      // Of these only what no further try would mend gets here: the retryable are ridden out.
      return cause.nonRetryable ? { class: 'configuration', reason: cause.message } : undefined;
    default:
      return undefined;
  }
}
