import { describe, expect, test } from '@jest/globals';
import { buildFailure, isPackage } from '../../../cluster/go-build.ts';
import { formatCompiled, formatElapsed, truncate } from '../../../cluster/progress.ts';

describe('progress', () => {
  test('elapsed time is short', () => {
    expect(formatElapsed(0)).toBe('0 s');
    expect(formatElapsed(59_400)).toBe('59 s');
    expect(formatElapsed(185_000)).toBe('3 min 05 s');
  });

  test('a compilation says how far it is, and never more than all', () => {
    expect(formatCompiled(618, 2475, 'k8s.io/api')).toBe(' 24 %, package 618 of 2475, k8s.io/api');
    expect(formatCompiled(12, 10, '')).toBe('100 %, package 12 of 10');
    expect(formatCompiled(0, 0, '')).toBe('  0 %, package 0 of 0');
  });

  test('a live line fits its terminal', () => {
    expect(truncate('abcdef', 6)).toBe('abcdef');
    expect(truncate('abcdef', 4)).toBe('abc…');
  });
});

describe('the output of go build', () => {
  test.each([
    'internal/abi',
    'k8s.io/kubernetes/cmd/kubelet',
    'gopkg.in/yaml.v3',
    'go.etcd.io/etcd/server/v3',
  ])('%s is a package', (line) => expect(isPackage(line)).toBe(true));

  test.each(['go: downloading k8s.io/api v0.34.4', '# k8s.io/api', './main.go:3:1: syntax error', ''])(
    '"%s" is not',
    (line) => expect(isPackage(line)).toBe(false),
  );

  test.each([
    ['write /tmp/x: no space left on device', 'the disk is full'],
    ['dial tcp 1.2.3.4:443: i/o timeout', "the Go module proxy can't be reached"],
    ['verifying k8s.io/api: checksum mismatch', 'is not what go.sum pins'],
    ['syntax error', 'its log is build.log'],
  ])('%s ends in one sentence with the log', (output, reason) => {
    const sentence = buildFailure({ name: 'etcd', version: 'v3' }, output, 'build.log');
    expect(sentence).toContain("etcd v3 can't be built");
    expect(sentence).toContain(reason);
    expect(sentence).toContain('build.log');
  });
});
