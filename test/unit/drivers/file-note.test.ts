import { expect, test } from '@jest/globals';
import { formatNote, parseNote, periodsAt, placeHash } from '../../../drivers/file-note.ts';

const sha256 = 'ab'.repeat(32);
const delivery = { standing: '0123456789abcdef', report: 'xml', sameBytes: true } as const;
const note = formatNote({ sha256, version: 'v1', delivery });

test('begins with the content, and is small', () => {
  expect(note.subarray(0, 32).toString('hex')).toBe(sha256);
  expect(note).toHaveLength(50);
  expect(formatNote({ sha256, version: 'v1' })).toHaveLength(41);
  expect(parseNote(note, 'v1')).toEqual({ sha256, delivery });
  expect(parseNote(note, 'v2')).toBeNull();
});

test('what is none of ours is nothing known', () => {
  const altered = (at: number, byte: number) => Buffer.from(note).fill(byte, at, at + 1);
  const garbled = [
    Buffer.alloc(0),
    Buffer.from('x'),
    Buffer.alloc(50, 0xff),
    note.subarray(0, 49),
    Buffer.concat([note, Buffer.from('x')]),
    altered(32, 2),
    altered(33, (note[33] ?? 0) ^ 1),
    altered(41, 3),
    altered(41, 12),
    altered(41, 255),
  ];
  for (const one of garbled) expect(parseNote(one, 'v1')).toBeNull();
  expect(parseNote(null, 'v1')).toBeNull();
});

test('a period is over when the next has passed', () => {
  expect(periodsAt(99_999, 100)).toEqual({ current: 0, last: -1, keepSeconds: 200 });
  expect(periodsAt(100_000, 100)).toEqual({ current: 1, last: 0, keepSeconds: 200 });
});

test('places are told apart wherever one ends and the other begins', () => {
  const pairs = [
    ['a', 'b'],
    ['b', 'a'],
    ['ab', ''],
    ['', 'ab'],
    ['a","b', ''],
  ];
  const hashes = pairs.map(([source = '', destination = '']) => placeHash({ source, destination }));
  expect(new Set(hashes).size).toBe(pairs.length);
  for (const hash of hashes) expect(hash).toMatch(/^[0-9a-f]{32}$/);
});
