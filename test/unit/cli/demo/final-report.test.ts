import { describe, expect, test } from '@jest/globals';
import { type Finished, finalReport } from '../../../../cli/demo/final-report.ts';
import { columnsOf } from '../../../../cli/printable.ts';
import type { Outcome } from '../../../../workflows/contract.ts';
import { noOutcomes } from '../../../../workflows/contract.ts';

function line(path: string, outcome: Outcome, sha256: string, attempts: number) {
  return { name: { path }, size: 1, outcome, sha256, attempts };
}

function finished(changes: Partial<Finished> = {}): Finished {
  return {
    scan: 'demo-1',
    destination: 'file:///srv/clean%20side',
    page: 'http://127.0.0.1:8233/namespaces/default/workflows/demo-1',
    seconds: 12.34,
    cwd: '/home/me',
    verified: 2,
    problems: [],
    manifest: [
      line('a', 'rebuilt', 'aa', 2),
      line('copy of a', 'delivered', 'aa', 0),
      line('b', 'delivered', 'bb', 0),
      line('c', 'refused', 'cc', 1),
    ],
    summary: {
      scan: 'demo-1',
      listed: 4,
      outcomes: { ...noOutcomes(), rebuilt: 1, delivered: 2, refused: 1 },
      profile: { name: 'default', fingerprint: '0a1b2c3d' },
      manifest: { key: 'scans/demo-1/manifest.jsonl', lines: 4, sha256: '' },
    },
    ...changes,
  };
}

describe('the end of the demo', () => {
  test('counts each pod once, also where two names have the same content', () => {
    expect(finalReport(finished())[1]).toBe('4 files in 12.3 s, 3 pods');
    const again = finished().manifest.map((one) => ({ ...one, attempts: 0 }));
    expect(finalReport(finished({ manifest: again }))[1]).toBe('4 files in 12.3 s, no new pod');
  });

  test('says where things are as paths that can be typed', () => {
    const text = finalReport(finished()).join('\n');
    expect(text).toContain('rebuilt tree  /srv/clean side/tree/\n');
    expect(text).toContain('manifest      /srv/clean side/scans/demo-1/manifest.jsonl\n');
    const below = finished({ destination: 'file:///home/me/clean' });
    expect(finalReport(below).join('\n')).toContain('rebuilt tree  clean/tree/\n');
    expect(finalReport(finished({ destination: 's3://clean/' })).join('\n')).toContain('s3://clean/tree/');
  });

  test('says what was checked, or what is not in order, within 80 columns', () => {
    expect(finalReport(finished()).at(-2)).toMatch(/^Checked:/);
    const lines = finalReport(finished({ problems: [`${'very '.repeat(40)}wrong.`, 'And this.'] }));
    expect(lines.join('\n')).not.toContain('Checked:');
    expect(lines.at(-1)).toBe('  And this.');
    for (const shown of lines) expect(columnsOf(shown)).toBeLessThanOrEqual(80);
  });
});
