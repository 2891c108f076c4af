import { describe, expect, test } from '@jest/globals';
import type { FileResult } from '../../../workflows/contract.ts';
import { noOutcomes } from '../../../workflows/contract.ts';
import type { InFlight, ScanState } from '../../../workflows/scan-state.ts';
import { firstState, outcomesOf, progressOf, sampled } from '../../../workflows/scan-state.ts';

const file = (path: string) => ({ name: { path }, size: 3, sha256: 'aa', version: 'v1' });
const content = (ours: boolean, ...paths: string[]): InFlight => ({
  sha256: 'aa',
  files: paths.map(file),
  ours,
  lost: 0,
});
const result = (outcome: FileResult['outcome'], more: Partial<FileResult> = {}): FileResult => ({
  outcome,
  attempts: 1,
  reused: false,
  ...more,
});
const outcomes = (...given: Parameters<typeof outcomesOf>) =>
  outcomesOf(...given).settled.map((one) => `${one.name.path} ${one.outcome}`);

describe('the end of a content becomes the outcomes of its names', () => {
  test('the first name was rebuilt, the others are delivered', () => {
    expect(outcomes(content(true, 'a', 'b', 'c'), result('rebuilt'))).toEqual([
      'a rebuilt',
      'b delivered',
      'c delivered',
    ]);
  });

  test('what another scan or an earlier attempt rebuilt is delivered', () => {
    expect(outcomes(content(false, 'a'), result('rebuilt'))).toEqual(['a delivered']);
    expect(outcomes(content(true, 'a'), result('rebuilt', { reused: true }))).toEqual(['a delivered']);
  });

  test('only the name whose pods ran in this scan has attempts', () => {
    const attempts = (ours: boolean) =>
      outcomesOf(content(ours, 'a', 'b'), result('rebuilt', { attempts: 2 })).settled.map(
        (one) => one.attempts,
      );
    expect(attempts(true)).toEqual([2, 0]);
    expect(attempts(false)).toEqual([0, 0]);
  });

  test.each(['refused', 'quarantined'] as const)('%s holds for every name of the content', (outcome) => {
    expect(outcomes(content(true, 'a', 'b'), result(outcome))).toEqual([`a ${outcome}`, `b ${outcome}`]);
  });

  test.each(['changed', 'gone'] as const)('%s concerns only the name that was read', (outcome) => {
    const ended = outcomesOf(content(true, 'a', 'b', 'c'), result(outcome));
    expect(ended.settled.map((one) => one.name.path)).toEqual(['a']);
    expect(ended.again.map((one) => one.name.path)).toEqual(['b', 'c']);
  });
});

describe('progress', () => {
  const opened = { source: 'file:///in', destination: 'file:///out' } as ScanState['opened'];
  const state = (more: Partial<ScanState>): ScanState => ({ ...firstState(opened, 10, 0), ...more });

  test('gives rate and ETA once all is listed', () => {
    const now = state({
      listed: 100,
      listingComplete: true,
      done: { ...noOutcomes(), rebuilt: 40 },
      samples: [{ at: 0, done: 0 }],
    });
    expect(progressOf(now, 10, 0, 20_000)).toMatchObject({
      state: 'working',
      filesPerSecond: 2,
      etaSeconds: 30,
      inFlight: 10,
    });
  });

  test('has no ETA while it lists or when nothing moves', () => {
    expect(progressOf(state({ listed: 100 }), 0, 0, 20_000).etaSeconds).toBeNull();
    expect(progressOf(state({ listed: 100, listingComplete: true }), 0, 0, 20_000).etaSeconds).toBeNull();
  });

  test('a paused scan says why', () => {
    expect(progressOf(state({ paused: 'no image' }), 0, 0, 1)).toMatchObject({
      state: 'paused',
      reason: 'no image',
    });
  });

  test('samples stay few and reach back about a minute', () => {
    let samples: ScanState['samples'] = [];
    for (let second = 0; second < 600; second++) samples = sampled(samples, second * 1000, second);
    expect(samples.length).toBeLessThanOrEqual(33);
    expect(samples.at(-1)).toEqual({ at: 599_000, done: 599 });
  });
});
