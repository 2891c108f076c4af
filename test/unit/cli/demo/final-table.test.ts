import { describe, expect, test } from '@jest/globals';
import { notRebuiltLines, outcomeTable, placeLines } from '../../../../cli/demo/final-table.ts';
import { columnsOf } from '../../../../cli/printable.ts';
import { progressLine } from '../../../../cli/progress-text.ts';
import type { Outcome, Progress } from '../../../../workflows/contract.ts';
import { OUTCOMES } from '../../../../workflows/contract.ts';

function line(path: string, outcome: Outcome, reason?: string) {
  return { name: { path }, size: 1, outcome, attempts: 1, reason };
}

const done = { ...Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])), rebuilt: 9, refused: 2 };
const progress: Progress = {
  state: 'working',
  listed: 27,
  done: done as Progress['done'],
  inFlight: 10,
  queued: 6,
  listingComplete: true,
  parallelFiles: 10,
  window: 10,
  filesPerSecond: 2.44,
  etaSeconds: 7,
  startedAt: 0,
  pass: 1,
};

describe('what the demo shows', () => {
  test('the table holds the outcomes that occurred, in their order, and the sum', () => {
    expect(outcomeTable({ refused: 3, rebuilt: 20, delivered: 0 }, 23)).toEqual([
      '  rebuilt         20   written anew by the engine, in a pod of its own',
      "  refused          3   the engine's verdict, with its reason",
      `  ${'─'.repeat(76)}`,
      '  listed          23   each with exactly one outcome',
    ]);
  });

  test('every outcome fits into 80 columns', () => {
    const all = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 123_456]));
    for (const row of outcomeTable(all, 1_000_000)) expect(columnsOf(row)).toBeLessThanOrEqual(80);
  });

  test('files without a clean copy are listed with reason, escaped and within 80 columns', () => {
    const lines = notRebuiltLines([
      line('fine.txt', 'rebuilt'),
      line('copy.txt', 'delivered'),
      line('a\x1b[2J\nb.bin', 'refused', 'not\x07 supported'),
      line(`${'long name '.repeat(20)}履歴書`, 'quarantined', `${'because '.repeat(40)}end`),
      line('zz link', 'unreadable'),
    ]);
    expect(lines.slice(0, 2)).toEqual([
      '  refused     a\\u{1b}[2J\\nb.bin',
      '                not\\u{7} supported',
    ]);
    expect(lines.slice(-2)).toEqual(['  unreadable  zz link', '                no reason was given']);
    expect(lines.join(' ')).not.toContain('fine.txt');
    for (const shown of lines) expect(columnsOf(shown)).toBeLessThanOrEqual(80);
  });

  test('a thousand refused files do not scroll the table away', () => {
    const lines = notRebuiltLines(Array.from({ length: 1000 }, (_, i) => line(`f${i}`, 'refused', 'no')));
    expect(lines).toHaveLength(81);
    expect(lines.at(-1)).toBe('  and 960 more: see the manifest');
  });

  test('places are aligned', () => {
    expect(
      placeLines([
        ['tree', '/a'],
        ['manifest', '/b'],
      ]),
    ).toEqual(['  tree      /a', '  manifest  /b']);
  });

  test('a line of progress for logs, with the reason of a pause on the same line', () => {
    expect(progressLine(progress, 10)).toBe('11/27 files, 2.4 files/s, 10 pods, rebuilt 9, refused 2');
    expect(
      progressLine({ ...progress, listingComplete: false, state: 'paused', reason: 'quota\nexceeded' }, 1),
    ).toBe('11/27+ files, 2.4 files/s, 1 pod, rebuilt 9, refused 2 (paused: quota\\nexceeded)');
  });
});
