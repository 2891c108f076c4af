import { expect, test } from '@jest/globals';
import { plainDisplay } from '../../../../cli/demo/display.ts';
import type { Progress } from '../../../../workflows/contract.ts';
import { noOutcomes } from '../../../../workflows/contract.ts';

function progress(rebuilt: number, changes: Partial<Progress> = {}): Progress {
  return {
    state: 'working',
    listed: 9,
    done: { ...noOutcomes(), rebuilt },
    inFlight: 1,
    queued: 2,
    listingComplete: true,
    parallelFiles: 10,
    window: 10,
    filesPerSecond: 1,
    etaSeconds: 3,
    startedAt: 0,
    pass: 1,
    ...changes,
  };
}

test('without a terminal: a line a change, and one every five seconds where nothing changes', () => {
  const lines: string[] = [];
  let now = 0;
  const display = plainDisplay(
    (line) => lines.push(line),
    () => now,
  );
  display.update(progress(1), 3);
  display.update(progress(1), 2);
  now = 4_999;
  display.update(progress(1), 2);
  expect(lines).toEqual(['  1/9 files, 1.0 files/s, 3 pods, rebuilt 1']);
  now = 5_000;
  display.update(progress(1), 2);
  display.update(progress(2), 2);
  display.update(progress(2, { state: 'paused', reason: 'the image is not there' }), 0);
  expect(lines.slice(1)).toEqual([
    '  1/9 files, 1.0 files/s, 2 pods, rebuilt 1',
    '  2/9 files, 1.0 files/s, 2 pods, rebuilt 2',
    '  2/9 files, 1.0 files/s, 0 pods, rebuilt 2 (paused: the image is not there)',
  ]);
});

test('a worker that does not answer is mentioned once it lasts', () => {
  const lines: string[] = [];
  const display = plainDisplay(
    (line) => lines.push(line),
    () => 0,
  );
  display.silent(3);
  display.silent(6);
  expect(lines).toEqual(['  the worker has not answered for 6 s']);
});
