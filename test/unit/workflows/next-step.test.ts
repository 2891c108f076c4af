import { describe, expect, test } from '@jest/globals';
import type { AttemptFailure } from '../../../workflows/next-step.ts';
import { nextStep, nextTier, UNCOUNTED_LIMIT, waitForRoomMs } from '../../../workflows/next-step.ts';

const retries = 2;
const failed = (...classes: AttemptFailure['class'][]): AttemptFailure[] =>
  classes.map((name) => ({ class: name, reason: `because of ${name}` }));
const times = (count: number, name: AttemptFailure['class']) =>
  failed(...Array.from({ length: count }, () => name));

describe('the next step after a failed attempt', () => {
  test.each([
    ['a first crash: the next run', failed('crash'), { kind: 'next-run', delayMs: 1_000 }],
    ['the back-off doubles', failed('crash', 'crash'), { kind: 'next-run', delayMs: 2_000 }],
    ['a bad transfer is counted', failed('transfer'), { kind: 'next-run', delayMs: 1_000 }],
    ['so is too small an engine', failed('resource'), { kind: 'next-run', delayMs: 1_000 }],
    [
      'more counted failures than retries: quarantine with the last reason',
      failed('crash', 'crash', 'transfer'),
      { kind: 'quarantine', reason: 'because of transfer (3 of 3 attempts)' },
    ],
    [
      'disruption and deletion are not counted',
      failed('crash', 'disruption', 'gone', 'disruption', 'crash', 'gone'),
      { kind: 'again', delayMs: 8_000 },
    ],
    [
      'what a person must mend is not tried again',
      failed('crash', 'configuration'),
      { kind: 'blocked', reason: 'because of configuration' },
    ],
  ])('%s', (_, failures, step) => {
    expect(nextStep(failures, retries)).toEqual(step);
  });

  test('uncounted failures end too, so that no file is tried for ever', () => {
    expect(nextStep(times(UNCOUNTED_LIMIT - 1, 'gone'), retries).kind).toBe('again');
    expect(nextStep(times(UNCOUNTED_LIMIT, 'gone'), retries).kind).toBe('quarantine');
  });

  test('no retries: the first counted failure is the last', () => {
    expect(nextStep(failed('crash'), 0).kind).toBe('quarantine');
  });

  test('the wait never exceeds half a minute', () => {
    expect(nextStep(times(19, 'disruption'), retries)).toMatchObject({ delayMs: 30_000 });
  });
});

test('each time that the engine was too small it is one size larger, up to the largest', () => {
  expect(nextTier(failed('crash', 'gone'), 1)).toBe(0);
  expect(nextTier(failed('resource', 'crash'), 1)).toBe(1);
  expect(nextTier(failed('resource', 'resource'), 1)).toBe(1);
});

test('room is asked for ever more rarely, at least every five minutes', () => {
  expect([1, 2, 3, 6, 40].map(waitForRoomMs)).toEqual([15_000, 30_000, 60_000, 300_000, 300_000]);
});
