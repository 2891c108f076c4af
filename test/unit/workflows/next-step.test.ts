import { describe, expect, test } from '@jest/globals';
import type { AttemptFailure } from '../../../workflows/next-step.ts';
import { nextStep, UNCOUNTED_LIMIT } from '../../../workflows/next-step.ts';

const limits = { retries: 2, maxTier: 1 };
const failed = (...classes: AttemptFailure['class'][]): AttemptFailure[] =>
  classes.map((name) => ({ class: name, reason: `because of ${name}` }));
const times = (count: number, name: AttemptFailure['class']) =>
  failed(...Array.from({ length: count }, () => name));

describe('the next step after a failed attempt', () => {
  test.each([
    ['a first crash gets a fresh pod', failed('crash'), { kind: 'retry', delayMs: 1_000, tier: 0 }],
    ['the back-off doubles', failed('crash', 'crash'), { kind: 'retry', delayMs: 2_000, tier: 0 }],
    ['out of memory goes one size up', failed('resource'), { kind: 'retry', delayMs: 1_000, tier: 1 }],
    [
      'the size stops at the highest',
      failed('resource', 'resource'),
      { kind: 'retry', delayMs: 2_000, tier: 1 },
    ],
    [
      'more counted failures than retries: quarantine with the last reason',
      failed('crash', 'crash', 'transfer'),
      { kind: 'quarantine', reason: 'because of transfer (3 of 3 attempts)' },
    ],
    [
      'disruption and deletion are not counted',
      failed('crash', 'disruption', 'gone', 'disruption', 'crash', 'gone'),
      { kind: 'retry', delayMs: 8_000, tier: 0 },
    ],
    ['no room: wait and say so', failed('capacity'), { kind: 'retry', delayMs: 15_000, tier: 0 }],
    [
      'what a person must mend is not tried again',
      failed('crash', 'configuration'),
      { kind: 'blocked', reason: 'because of configuration' },
    ],
  ])('%s', (_, failures, step) => {
    expect(nextStep(failures, limits)).toEqual(step);
  });

  test('uncounted failures end too, so that no file is tried for ever', () => {
    expect(nextStep(times(UNCOUNTED_LIMIT - 1, 'gone'), limits).kind).toBe('retry');
    expect(nextStep(times(UNCOUNTED_LIMIT, 'gone'), limits).kind).toBe('quarantine');
  });

  test('no retries: the first counted failure is the last', () => {
    expect(nextStep(failed('crash'), { retries: 0, maxTier: 2 }).kind).toBe('quarantine');
  });

  test('the wait never exceeds half a minute', () => {
    expect(nextStep(times(19, 'disruption'), limits)).toMatchObject({ delayMs: 30_000 });
  });
});
