import { describe, expect, test } from '@jest/globals';
import { idleLines, installedLines, type Round } from '../../../bench/installed-lines.ts';

const words = (lines: readonly string[]) => lines.map((line) => line.trim().split(/\s{2,}/));

describe('scans by both', () => {
  const rounds = (...seconds: number[]): Round[] =>
    seconds.map((one, turn) => ({
      side: turn === 0 || turn === 3 ? 'host' : 'cluster',
      files: 50,
      seconds: one,
    }));

  test('the sums of each side are compared, not one round', () => {
    const lines = words(installedLines(rounds(20, 30, 25, 30), 40));
    expect(lines).toContainEqual(['worker on the host', '50.0', '2.00', '0.500', '1.00']);
    expect(lines).toContainEqual(['workers in the cluster', '55.0', '1.82', '0.550', '1.10']);
    expect(lines).toContainEqual(['one after the other: host 20.0, cluster 30.0, cluster 25.0, host 30.0']);
  });

  test.each([
    { seconds: [20, 30, 25, 30], firstFile: 120, verdicts: ['met', 'met'] },
    { seconds: [20, 30, 26, 30], firstFile: 120.1, verdicts: ['MISSED', 'MISSED'] },
  ])('$seconds and $firstFile s to the first file: $verdicts', ({ seconds, firstFile, verdicts }) => {
    const lines = words(installedLines(rounds(...seconds), firstFile));
    expect(lines.slice(-2).map((line) => line.at(-1))).toEqual(verdicts);
  });
});

describe('idle workers', () => {
  const used = { cpuSeconds: 3, residentBytes: 2 ** 30, polls: 30, calls: 6 };
  const host = {
    ...{ what: 'host', processes: 1, seconds: 60 },
    requests: new Map(),
    commands: new Map([['ping', 6]]),
    used,
  };
  const cluster = {
    ...{ what: 'cluster', processes: 3, seconds: 60 },
    requests: new Map([
      ['get namespaces', 12],
      ['create selfsubjectaccessreviews', 72],
    ]),
    commands: new Map([['lookup', 30]]),
    used: { ...used, cpuSeconds: 6 },
  };

  test('counts are a second, side by side, and what they are made of below', () => {
    const lines = words(idleLines([host, cluster]));
    expect(lines).toContainEqual(['worker processes', '1', '3']);
    expect(lines).toContainEqual(['requests to the Kubernetes API a second', '0.00', '1.40']);
    expect(lines).toContainEqual(['cluster: create selfsubjectaccessreviews 1.20, get namespaces 0.20']);
    expect(lines).toContainEqual(['Redis commands a second', '0.10', '0.50']);
    expect(lines).toContainEqual(['polls of Temporal a second', '0.50', '0.50']);
    expect(lines).toContainEqual(['other requests to Temporal a second', '0.10', '0.10']);
    expect(lines).toContainEqual(['CPU, % of a core', '5.0', '10.0']);
  });

  test('of nothing nothing is said to be made', () => {
    expect(idleLines([host, cluster]).join('\n')).not.toMatch(/^ +host: *$/m);
  });
});
