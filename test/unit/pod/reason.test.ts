import { describe, expect, test } from '@jest/globals';
import { firstLine, REASON_LIMIT } from '../../../pod/reason.ts';

const of = (text: string) => firstLine(Buffer.from(text));

describe('the reason of a refusal', () => {
  test.each([
    ['encrypted', 'encrypted'],
    ['  encrypted \nmore', 'encrypted'],
    ['encrypted\r\nmore', 'encrypted'],
    ['größer als erlaubt', 'größer als erlaubt'],
    ['', 'The engine gave no reason.'],
    ['\nsecond', 'The engine gave no reason.'],
    ['a\u001b[2Jb', 'a\\u{1b}[2Jb'],
    ['a\u0000b', 'a\\u{0}b'],
    ['a\u202eb', 'a\\u{202e}b'],
    ['a\u2028b', 'a\\u{2028}b'],
    ['a\u{e0041}b', 'a\\u{e0041}b'],
    ['a\tb', 'a\\u{9}b'],
  ])('%j is shown as %j', (text, shown) => {
    expect(of(text)).toBe(shown);
  });

  test('bytes that are no UTF-8 become U+FFFD', () => {
    expect(firstLine(Uint8Array.of(0x61, 0xff, 0x62))).toBe('a\ufffdb');
  });

  test('is bounded after escaping, and never cut within an escape', () => {
    const shown = of('\u0001'.repeat(5000));
    expect(shown.length).toBeLessThanOrEqual(REASON_LIMIT);
    expect(shown).toMatch(/^(\\u\{1\})+…$/);
  });
});
