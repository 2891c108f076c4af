import { describe, expect, test } from '@jest/globals';
import { bytesText, median, percentile, speedLines, watchLines } from '../../../bench/figures.ts';

describe('figures', () => {
  test('a ratio compares seconds per file, so that sides may have different numbers of files', () => {
    const lines = speedLines(
      [
        { what: 'Pristine', files: 100, seconds: 50 },
        { what: 'Job', files: 50, seconds: 20 },
      ],
      'Job',
    );
    expect(lines.slice(1).map((line) => line.trim().split(/\s+/))).toEqual([
      ['Pristine', '50.0', '2.00', '0.500', '1.25'],
      ['Job', '20.0', '2.50', '0.400', '1.00'],
    ]);
  });

  test('median of odd, even and no numbers', () => {
    expect([median([3, 1, 2]), median([4, 1, 3, 2]), median([])]).toEqual([2, 2.5, Number.NaN]);
  });

  test('percentiles by nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect([percentile(values, 0.5), percentile(values, 0.99), percentile([7], 0.99)]).toEqual([50, 99, 7]);
    expect(percentile([], 0.5)).toBeNaN();
  });

  test('the watch’s ratios are of percentiles, and the pod that ran alone has its own', () => {
    const observed = [
      { ours: 100, theirs: 100 },
      { ours: 900, theirs: 600 },
    ];
    const words = watchLines(observed, { seconds: 360, ours: 120, theirs: 100 }).map((line) => line.trim());
    expect(words[3]).toMatch(/^ratio +1\.00 +1\.50$/);
    expect(words[4]).toMatch(/behind kubectl by +0 ms +300 ms$/);
    expect(words.slice(5, 7)).toEqual([
      expect.stringMatching(/alone for 360 s/),
      expect.stringMatching(/^120 ms +100 ms +1\.20$/),
    ]);
  });

  test('bytes in the unit that reads best', () => {
    expect([bytesText(2048), bytesText(1.5 * 2 ** 20), bytesText(106 * 2 ** 20)]).toEqual([
      '2 KiB',
      '1.5 MiB',
      '106 MiB',
    ]);
  });
});
