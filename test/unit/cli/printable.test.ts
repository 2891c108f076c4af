import { describe, expect, test } from '@jest/globals';
import { columnsOf, padded, printableName, printableText, wrapped } from '../../../cli/printable.ts';

describe('a hostile name on a terminal', () => {
  test.each([
    ['plain', Buffer.from('a b.txt'), 'a b.txt'],
    ['non-ASCII letters stay', Buffer.from('März 履歴書 – é.txt'), 'März 履歴書 – é.txt'],
    ['newline and tab', Buffer.from('a\nb\tc'), 'a\\nb\\tc'],
    ['terminal escape', Buffer.from('\x1b[31m\x07\x7f'), '\\u{1b}[31m\\u{7}\\u{7f}'],
    ['C1 control', Buffer.from('\u009b2J'), '\\u{9b}2J'],
    ['right-to-left override', Buffer.from('a\u202etxt.exe'), 'a\\u{202e}txt.exe'],
    ['zero width and no-break space', Buffer.from('a\u200bb\u00a0c'), 'a\\u{200b}b\\u{a0}c'],
    ['line separator', Buffer.from('a\u2028b'), 'a\\u{2028}b'],
    ['a lone continuation byte and Latin-1', Buffer.from('\x80caf\xe9.t', 'latin1'), '\\x80caf\\xe9.t'],
    ['a cut sequence at the end', Buffer.from([0x61, 0xe5, 0xb1]), 'a\\xe5\\xb1'],
    ['an overlong slash', Buffer.from([0xc0, 0xaf]), '\\xc0\\xaf'],
    ['a byte order mark', Buffer.from('\ufeffa'), '\\u{feff}a'],
  ])('%s', (_, bytes, expected) => {
    expect(printableName(bytes)).toBe(expected);
  });

  test('a name that spells an escape is not taken for one that needs it', () => {
    expect(printableName(Buffer.from('a\\nb'))).toBe('a\\\\nb');
  });

  test('a FileName with bytes is shown by its bytes', () => {
    expect(
      printableName({ path: 'caf\ufffd', pathBase64: Buffer.from('caf\xe9', 'latin1').toString('base64') }),
    ).toBe('caf\\xe9');
  });

  test('a reason becomes one line without control characters or halves of surrogate pairs', () => {
    expect(printableText('bad\n\x1b]0;title\x07 \ud800 C:\\x')).toBe(
      'bad\\n\\u{1b}]0;title\\u{7} \ufffd C:\\x',
    );
  });
});

describe('fitting text into columns', () => {
  test('counts wide letters as two and marks as none', () => {
    expect(columnsOf('履歴書')).toBe(6);
    expect(columnsOf('e\u0301')).toBe(1);
    expect(padded('履', 4)).toBe('履  ');
  });

  test('breaks at spaces, and inside a word only when it must', () => {
    expect(wrapped('one two three', 8)).toEqual(['one two', 'three']);
    expect(wrapped('abcdefghij kl', 4)).toEqual(['abcd', 'efgh', 'ij', 'kl']);
    expect(wrapped('', 4)).toEqual(['']);
  });
});
