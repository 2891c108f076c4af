/** The one place where a driver's error becomes what Temporal's retry policies look at. */
import { ApplicationFailure } from '@temporalio/common';
import { DriverError } from '../drivers/errors.ts';

/** Longest message that may enter a history. */
const MESSAGE_LIMIT = 2_000;

/**
 * Wraps activities so that whatever they throw carries its driver code as failure type, and only the
 * retryable is retried. Errors that are not a driver's are our own defects: retried, since a new version
 * of the worker may mend them.
 */
export function withFailures<T extends Record<string, (input: never) => Promise<unknown>>>(activities: T): T {
  const wrapped = Object.entries(activities).map(([name, run]) => [
    name,
    async (input: never) => {
      try {
        return await run(input);
      } catch (error) {
        throw toFailure(error);
      }
    },
  ]);
  return Object.fromEntries(wrapped) as T;
}

export function toFailure(error: unknown): unknown {
  if (!(error instanceof DriverError)) return bounded(error);
  return ApplicationFailure.create({
    type: error.code,
    message: error.message.slice(0, MESSAGE_LIMIT),
    nonRetryable: !error.retryable,
    ...(error.retryAfterMs === undefined ? {} : { nextRetryDelay: error.retryAfterMs }),
  });
}

/** Whatever else went wrong may quote what it stumbled over, and a history takes only so much. */
function bounded(error: unknown): unknown {
  if (!(error instanceof Error) || error.message.length <= MESSAGE_LIMIT) return error;
  error.message = `${error.message.slice(0, MESSAGE_LIMIT - 1)}…`;
  return error;
}

/** For wrong input that only an activity can see. */
export function invalid(message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: 'InvalidInput', nonRetryable: true, message });
}
