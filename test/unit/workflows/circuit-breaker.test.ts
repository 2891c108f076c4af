import { expect, test } from '@jest/globals';
import type { Recent } from '../../../workflows/circuit-breaker.ts';
import { remembered, tripped } from '../../../workflows/circuit-breaker.ts';

const limit = { share: 0.5, of: 6 };
const ends = (...recent: Recent) => recent;

test('half of the last ones with one class of failure: stop, and say which', () => {
  expect(tripped(ends('ok', 'crash', 'ok', 'crash', 'crash', 'ok'), limit)).toMatch(
    /3 of the last 6 .* crash\. .*"resume"/,
  );
});

test.each([
  ['too few ran to tell', ends('crash', 'crash', 'crash', 'crash', 'crash')],
  ['failures of several kinds', ends('crash', 'transfer', 'resource', 'crash', 'transfer', 'resource')],
  ['all is well', ends('ok', 'ok', 'ok', 'ok', 'ok', 'ok')],
])('%s: goes on', (_, recent) => {
  expect(tripped(recent, limit)).toBeNull();
});

test('without a limit nothing is remembered and nothing stops', () => {
  expect(remembered(ends('crash'), 'crash', false)).toEqual([]);
  expect(tripped(ends('crash', 'crash', 'crash', 'crash', 'crash', 'crash'), false)).toBeNull();
});

test('only the last ones count', () => {
  expect(remembered(ends('ok', 'ok', 'ok', 'ok', 'ok', 'crash'), 'transfer', limit)).toEqual(
    ends('ok', 'ok', 'ok', 'ok', 'crash', 'transfer'),
  );
});
