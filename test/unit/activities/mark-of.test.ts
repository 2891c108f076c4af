import { expect, test } from '@jest/globals';
import { markOf } from '../../../activities/mark-of.ts';
import { sha256Of } from './world.ts';

const sha256 = sha256Of('hostile');
const from = 's3://clean/';

test.each(['rebuilt', 'delivered', 'refused'] as const)('%s is not met again', (outcome) => {
  expect(markOf({ outcome, sha256, from }, outcome)).toEqual({});
});

test.each(['filtered', 'unreadable'] as const)('%s is not met again in this version', (outcome) => {
  expect(markOf({ outcome }, outcome)).toEqual({});
});

test('quarantined is met again when its record is cleared', () => {
  expect(markOf({ outcome: 'quarantined', sha256, from }, 'quarantined')).toEqual({ quarantined: sha256 });
});

test('quarantined without a record is tried again', () => {
  expect(markOf({ outcome: 'quarantined', sha256 }, 'quarantined')).toBeNull();
});

test.each(['changed', 'gone'] as const)('%s is tried again', (outcome) => {
  expect(markOf({ outcome, sha256 }, outcome)).toBeNull();
});

test('what was held back over a receipt that can not be read is tried again', () => {
  for (const outcome of ['rebuilt', 'delivered', 'refused'] as const)
    expect(markOf({ outcome, sha256, from }, 'quarantined')).toBeNull();
});

test('what the destination can not hold is not met again', () => {
  expect(markOf({ outcome: 'rebuilt', sha256, from }, 'unreadable')).toEqual({});
});
