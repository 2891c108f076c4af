import { describe, expect, test } from '@jest/globals';
import {
  boundedLog,
  boundedText,
  lastLine,
  TEXT_LIMIT,
  withoutLinks,
} from '../../../../drivers/kubernetes/bounded-text.ts';

describe('boundedText', () => {
  test.each([
    ['plain, ünïcode 漢字 🙂', 'plain, ünïcode 漢字 🙂'],
    ['  trimmed \n', 'trimmed'],
    ['two\nlines\tand a tab', 'two\\nlines\\tand a tab'],
    ['\u001b[31mred\u0007', '\\u{1b}[31mred\\u{7}'],
    ['a\u202egnp.exe', 'a\\u{202e}gnp.exe'],
    ['a\u2028b\u200bc', 'a\\u{2028}b\\u{200b}c'],
    ['lone \ud800 surrogate', 'lone \\u{d800} surrogate'],
    ['nul\0', 'nul\\u{0}'],
  ])('%j becomes %j', (text, expected) => {
    expect(boundedText(text)).toBe(expected);
  });

  test('is never longer than its limit, escaped or not', () => {
    expect(boundedText('x'.repeat(10_000))).toBe(`${'x'.repeat(TEXT_LIMIT - 1)}…`);
    expect(boundedText('\u0000'.repeat(10_000))).toHaveLength(TEXT_LIMIT);
    expect(boundedText('x'.repeat(TEXT_LIMIT))).toHaveLength(TEXT_LIMIT);
    expect(boundedText('x'.repeat(TEXT_LIMIT))).not.toContain('…');
  });
});

test.each([
  ['', ''],
  ['one', 'one'],
  ['one\ntwo\n\n', 'two'],
  ['one\r\ntwo  \r\n', 'two'],
])('the last line of %j is %j', (text, expected) => {
  expect(lastLine(text)).toBe(expected);
});

test('links are taken out, whatever their scheme', () => {
  expect(withoutLinks('Invalid value: "https://h/p?X-Amz-Signature=1" and s3://b/k, done')).toBe(
    'Invalid value: "<link>" and <link> done',
  );
});

describe('boundedLog', () => {
  test('is the end, in whole characters', () => {
    expect(boundedLog(Buffer.from('first\nä last\n'), 6)).toBe(' last\n');
    expect(boundedLog(Buffer.from('all of it\n'), 100)).toBe('all of it\n');
  });

  test('keeps lines and tabs and escapes what drives a terminal', () => {
    expect(boundedLog(Buffer.from('a\tb\r\n\u001b]0;title\u0007\n'), 100)).toBe(
      'a\tb\n\\u{1b}]0;title\\u{7}\n',
    );
  });

  test('stays within its bytes though escapes and broken UTF-8 grow', () => {
    for (const bytes of [Buffer.alloc(100, 0x1b), Buffer.alloc(100, 0xff), Buffer.from('🙂'.repeat(50))])
      expect(Buffer.byteLength(boundedLog(bytes, 50))).toBeLessThanOrEqual(50);
  });
});
