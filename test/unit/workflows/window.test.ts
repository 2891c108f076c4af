import { expect, test } from '@jest/globals';
import { grown, shrunk, windowOf } from '../../../workflows/window.ts';

const now = 1_000_000;

test('a shortage halves what is in work, and never to nothing', () => {
  expect(shrunk(null, 10, 'full', now)).toEqual({ reason: 'full', slots: 5, shrunkAt: now });
  expect(shrunk(null, 1, 'full', now).slots).toBe(1);
  expect(shrunk({ reason: 'full', slots: 4, shrunkAt: 0 }, 10, 'fuller', now)).toMatchObject({ slots: 2 });
});

test('pods that find no room at the same time shrink it once', () => {
  const first = shrunk(null, 16, 'full', now);
  expect(shrunk(first, 16, 'fuller', now + 9_999)).toEqual({ ...first, reason: 'fuller' });
  expect(shrunk(first, 16, 'fuller', now + 10_000).slots).toBe(4);
});

test('each file that ends makes room for one more, until all that are allowed fit', () => {
  expect(grown({ reason: 'full', slots: 5, shrunkAt: now }, 10)).toMatchObject({ slots: 6 });
  expect(grown({ reason: 'full', slots: 9, shrunkAt: now }, 10)).toBeNull();
  expect(grown(null, 10)).toBeNull();
});

test('the window is never wider than what is allowed', () => {
  expect(windowOf(null, 10)).toBe(10);
  expect(windowOf({ reason: 'full', slots: 3, shrunkAt: now }, 10)).toBe(3);
  expect(windowOf({ reason: 'full', slots: 8, shrunkAt: now }, 5)).toBe(5);
});
