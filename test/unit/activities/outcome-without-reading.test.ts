import { describe, expect, test } from '@jest/globals';
import { type Limits, outcomesWithoutReading } from '../../../activities/outcome-without-reading.ts';

const filtered = (path: string, limits: Pick<Limits, 'include' | 'exclude'>) => {
  const file = { kind: 'file' as const, size: 1, version: 'v', modifiedAt: 0, changedAt: 0 };
  const outcome = outcomesWithoutReading({ ...limits, maxInputBytes: 10 });
  return outcome({ ...file, name: Buffer.from(path) })?.reason;
};

const INCLUDED = 'matches no include pattern';
const EXCLUDED = 'matches an exclude pattern';

describe.each([
  ['a line feed', '\n'],
  ['a carriage return', '\r'],
  ['a line separator', '\u2028'],
  ['a paragraph separator', '\u2029'],
  ['a letter', 'x'],
])('a folder whose name has %s', (_, mark) => {
  const path = `in/new${mark}line/sub${mark}/a${mark}.docx`;

  test.each([
    '**',
    '**/*.docx',
    'in/**',
    'in/**/*.docx',
    'in/**/sub*/*',
    '**/a?.docx',
    'in/*/*/*',
    '!**/*.pdf',
  ])('matches %s', (pattern) => {
    expect(filtered(path, { include: [pattern] })).toBeUndefined();
    expect(filtered(path, { exclude: [pattern] })).toBe(EXCLUDED);
  });

  test.each(['**/*.pdf', 'other/**', '*', 'in/*', '*.docx', '!**/*.docx'])('matches no %s', (pattern) => {
    expect(filtered(path, { include: [pattern] })).toBe(INCLUDED);
    expect(filtered(path, { exclude: [pattern] })).toBeUndefined();
  });
});

test('names are matched as they are written: case and dots count as ever', () => {
  expect(filtered('A.DOCX', { include: ['*.docx'] })).toBe(INCLUDED);
  expect(filtered('.hidden/.a.docx', { include: ['**/*.docx'] })).toBeUndefined();
});
