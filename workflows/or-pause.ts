import { ActivityFailure, RetryState, TimeoutFailure, TimeoutType } from '@temporalio/common';
import { condition } from '@temporalio/workflow';
import type { ScanState } from './scan-state.ts';

/**
 * A step of the scan's own. When trouble has outlasted its time the scan pauses with the reason, and the step begins
 * again once it is resumed. What trying again does not mend is thrown.
 */
export async function orPause<T>(state: ScanState, step: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await step();
    } catch (error) {
      const trouble = outlastedBy(error);
      if (trouble === undefined) throw error;
      state.paused ??= `${trouble} It was tried for hours. Mend it and send the update "resume".`;
      await condition(() => state.paused === null);
    }
  }
}

/** What went wrong until the step's time was over, in the words of its last try; undefined for other failures. */
export function outlastedBy(error: unknown): string | undefined {
  if (!(error instanceof ActivityFailure) || error.cause === undefined) return undefined;
  const { cause, retryState } = error;
  const over = cause instanceof TimeoutFailure && cause.timeoutType === TimeoutType.SCHEDULE_TO_CLOSE;
  if (retryState !== RetryState.TIMEOUT && !over) return undefined;
  return cause instanceof TimeoutFailure ? (cause.cause?.message ?? cause.message) : cause.message;
}
