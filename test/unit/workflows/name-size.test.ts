import { describe, expect, test } from '@jest/globals';
import {
  batchLength,
  entrySize,
  nameSize,
  PAYLOAD_NAMES,
  settledTogether,
} from '../../../workflows/name-size.ts';

const named = (path: string) => ({ name: { path } });

describe('names in payloads', () => {
  test('are as long as JSON writes them in UTF-8', () => {
    expect(nameSize([named('é中')])).toBe(Buffer.byteLength('{"path":"é中"}'));
    expect(nameSize([named('a'), named('\u0001')])).toBe('{"path":"a"}'.length + '{"path":"\\u0001"}'.length);
  });

  test('of whole entries, as often as they are asked for', () => {
    const files = [
      { ...named('a'), size: 1, sha256: 'f'.repeat(64) },
      { ...named('é'), size: 2, sha256: 'f'.repeat(64) },
    ];
    const bytes = Buffer.byteLength(JSON.stringify(files)) - '[,]'.length;
    expect([entrySize(files), entrySize(files)]).toEqual([bytes, bytes]);
  });

  test.each([
    ['none', [], 0],
    ['short ones, up to the count', Array.from({ length: 300 }, () => named('short')), 200],
    ['fewer than the count', [named('one'), named('two')], 2],
    ['long ones, as many as fit', Array.from({ length: 300 }, () => named('x'.repeat(4_000))), 65],
    ['one, however long', [named('x'.repeat(PAYLOAD_NAMES * 2)), named('next')], 1],
  ])('a batch of %s', (_, files, length) => {
    expect(batchLength(files, 200)).toBe(length);
  });
});

describe('files that are settled together', () => {
  const some = (count: number, size: number, path = 'short') =>
    Array.from({ length: count }, () => ({ ...named(path), size }));

  test.each([
    ['none', [], 0],
    ['small ones, up to the larger count', some(1_500, 1_000), 1_200],
    ['fewer than that', some(700, 1_000), 700],
    ['large ones, as many as there ever were', some(1_500, 1024 ** 3), 200],
    ['some large ones, up to a gigabyte', some(1_500, 2 * 1024 ** 2), 512],
    ['long names, as many as a payload holds', some(1_500, 1, 'x'.repeat(2_000)), 258],
  ])('%s', (_, files, length) => {
    expect(settledTogether(files, 200, 1_200)).toBe(length);
  });
});
