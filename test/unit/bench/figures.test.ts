import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { auditMark, requestsSince } from '../../../bench/api-requests.ts';
import { bytesText, median, speedLines } from '../../../bench/figures.ts';

const folder = mkdtempSync(join(tmpdir(), 'bench-'));
afterAll(() => rmSync(folder, { recursive: true }));

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

  test('bytes in the unit that reads best', () => {
    expect([bytesText(2048), bytesText(1.5 * 2 ** 20), bytesText(106 * 2 ** 20)]).toEqual([
      '2 KiB',
      '1.5 MiB',
      '106 MiB',
    ]);
  });
});

describe('counting requests in an audit log', () => {
  const event = (stage: string, verb: string, resource: string, subresource?: string) =>
    `${JSON.stringify({ stage, verb, user: { username: 'worker' }, objectRef: { resource, subresource } })}\n`;

  test('takes each request once, when it was complete, and only those after the mark', async () => {
    const file = join(folder, 'audit.log');
    writeFileSync(file, event('ResponseComplete', 'create', 'pods'));
    const mark = (await auditMark(file)) ?? 0;
    writeFileSync(
      file,
      event('ResponseStarted', 'watch', 'pods') +
        event('ResponseComplete', 'create', 'pods') +
        event('ResponseComplete', 'create', 'pods') +
        event('ResponseComplete', 'get', 'pods', 'log'),
      { flag: 'a' },
    );
    expect([...(await requestsSince(file, mark))]).toEqual([
      ['worker create pods', 2],
      ['worker get pods/log', 1],
    ]);
  });

  test('there is no mark where there is no log', async () => {
    expect(await auditMark(join(folder, 'none.log'))).toBeNull();
  });
});
