import { describe, expect, test } from '@jest/globals';
import type { RunningScan } from '../../../../cli/demo/follow-scan.ts';
import { followScan } from '../../../../cli/demo/follow-scan.ts';
import type { Progress } from '../../../../workflows/contract.ts';
import { noOutcomes } from '../../../../workflows/contract.ts';

const progress: Progress = {
  state: 'working',
  listed: 3,
  done: noOutcomes(),
  inFlight: 1,
  queued: 2,
  listingComplete: true,
  parallelFiles: 10,
  window: 10,
  filesPerSecond: 1,
  etaSeconds: 3,
  startedAt: 0,
  pass: 1,
};
const pace = { everyMs: 1, patienceMs: 60_000 };

/** A scan that answers `looks` times, with an error in the places where `deaf` says so, and then ends. */
function scan(looks: number, end: () => Promise<unknown>, deaf = (_look: number) => false) {
  const { promise, resolve } = Promise.withResolvers<void>();
  let look = 0;
  const running: RunningScan = {
    async progress() {
      look += 1;
      if (look >= looks) resolve();
      if (deaf(look)) throw new Error('no poller');
      return progress;
    },
    pods: async () => 2,
    result: () => promise.then(end),
  };
  const seen: string[] = [];
  const display = {
    update: (_: Progress, pods: number) => seen.push(`${pods} pods`),
    silent: () => seen.push('silent'),
  };
  return { running, display, seen };
}

describe('following a scan', () => {
  test('shows its progress until there is a result', async () => {
    const { running, display, seen } = scan(3, async () => 'summary');
    expect(await followScan(running, display, pace)).toBe('summary');
    expect(seen.slice(0, 2)).toEqual(['2 pods', '2 pods']);
  });

  test('rejects with the failure of the scan', async () => {
    const { running, display } = scan(2, () => Promise.reject(new Error('the source is not there')));
    await expect(followScan(running, display, pace)).rejects.toThrow('the source is not there');
  });

  test('goes on when nobody answers for a while', async () => {
    const { running, display, seen } = scan(
      4,
      async () => 'summary',
      (look) => look === 2,
    );
    expect(await followScan(running, display, pace)).toBe('summary');
    expect(seen.slice(0, 3)).toEqual(['2 pods', 'silent', '2 pods']);
  });

  test('gives up when nobody has answered for longer than its patience', async () => {
    const { running, display } = scan(
      Number.POSITIVE_INFINITY,
      async () => 'never',
      () => true,
    );
    await expect(followScan(running, display, { everyMs: 5, patienceMs: 1 })).rejects.toThrow(
      'nobody has answered',
    );
  });
});
