import { expect, test } from '@jest/globals';
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  RetryState,
  TimeoutFailure,
  TimeoutType,
} from '@temporalio/common';
import { outlastedBy } from '../../../workflows/or-pause.ts';

const failed = (retryState: RetryState, cause: Error) =>
  new ActivityFailure('Activity task failed', 'settleFiles', '1', retryState, 'worker', cause);
const away = ApplicationFailure.retryable('Could not reach Redis.', 'index.unavailable');
const cutOff = Object.assign(
  new TimeoutFailure('activity ScheduleToClose timeout', undefined, TimeoutType.SCHEDULE_TO_CLOSE),
  { cause: away },
);

test.each([
  ['no time for one more try', failed(RetryState.TIMEOUT, away)],
  ['a try that the end of the time cut off', failed(RetryState.NON_RETRYABLE_FAILURE, cutOff)],
])('trouble that outlasts a step: %s', (_, error) => {
  expect(outlastedBy(error)).toBe('Could not reach Redis.');
});

test.each([
  ['what must not be tried again', failed(RetryState.NON_RETRYABLE_FAILURE, away)],
  ['a cancellation', failed(RetryState.CANCEL_REQUESTED, new CancelledFailure('cancelled'))],
  ['a defect of ours', new Error('books differ')],
])('trying again does not mend it: %s', (_, error) => {
  expect(outlastedBy(error)).toBeUndefined();
});
