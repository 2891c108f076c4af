import { describe, expect, test } from '@jest/globals';
import { toBytes, toFileName } from '../../../drivers/file-name.ts';

describe('a file name', () => {
  test.each([
    ['plain', Buffer.from('a/b.txt')],
    ['empty', Buffer.from('')],
    ['with a byte order mark', Buffer.from([0xef, 0xbb, 0xbf, 0x61])],
    ['with the replacement character itself', Buffer.from('a\ufffdb')],
    ['with control characters', Buffer.from([1, 9, 10, 13, 0x7f])],
    ['beyond the basic plane', Buffer.from('\ud83d\ude00')],
  ])('%s is its text alone', (_, bytes) => {
    const name = toFileName(bytes);
    expect(name).toEqual({ path: bytes.toString('utf8') });
    expect(Buffer.from(toBytes(JSON.parse(JSON.stringify(name))))).toEqual(bytes);
  });

  test.each([
    ['a lone byte', Buffer.from([0x61, 0xff])],
    ['latin-1', Buffer.from('caf\u00e9', 'latin1')],
    ['an overlong slash', Buffer.from([0xc0, 0xaf])],
    ['a surrogate', Buffer.from([0xed, 0xa0, 0x80])],
    ['a cut sequence', Buffer.from([0xf0, 0x9f, 0x98])],
  ])('%s keeps its bytes', (_, bytes) => {
    const name = toFileName(bytes);
    expect(name.path).toContain('\ufffd');
    expect(Buffer.from(toBytes(JSON.parse(JSON.stringify(name))))).toEqual(bytes);
  });

  test('two names that look alike stay apart', () => {
    const names = [[0xff], [0xfe], [0xef, 0xbf, 0xbd]].map((bytes) => toFileName(Buffer.from(bytes)));
    expect(new Set(names.map((name) => JSON.stringify(name))).size).toBe(3);
    expect(new Set(names.map(({ path }) => path)).size).toBe(1);
  });

  test('a part of a larger buffer is that part', () => {
    expect(toFileName(Buffer.from('abcdef').subarray(2, 4))).toEqual({ path: 'cd' });
  });
});
