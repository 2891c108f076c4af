import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { KubeError } from '../../../../drivers/kubernetes/kube-error.ts';
import { FeedExpired } from '../../../../drivers/kubernetes/pod-feed.ts';
import { POD_WAITS_SETTINGS, PodWaits } from '../../../../drivers/kubernetes/pod-waits.ts';
import { POD_WATCH_SETTINGS, PodWatch } from '../../../../drivers/kubernetes/pod-watch.ts';
import type { PodOutcome, PodPhase, PodWait } from '../../../../drivers/ports.ts';
import { pod, running, succeeded, terminated, waiting } from './pod-json.ts';
import { recordingLog } from './recording-log.ts';
import { ScriptedFeed } from './scripted-feed.ts';

const IDLE_MS = 40_000;

/** Everything but the server; `settle` lets pending promises run without time passing. */
function watching() {
  const feed = new ScriptedFeed();
  const log = recordingLog();
  const waits: PodWaits = new PodWaits(() => watch, log, POD_WAITS_SETTINGS);
  const watch = new PodWatch(feed, waits, log, { ...POD_WATCH_SETTINGS, idleMs: IDLE_MS, random: () => 0 });
  open.push({ waits, watch });
  const wait = (name = 'pod-1', uid = 'uid-1', how: PodWait = {}) => {
    const seen: { outcome?: PodOutcome; error?: unknown } = {};
    waits.wait({ name, uid }, how).then(
      (outcome) => {
        seen.outcome = outcome;
      },
      (error: unknown) => {
        seen.error = error;
      },
    );
    return seen;
  };
  return { feed, log, waits, watch, wait };
}
const open: { waits: PodWaits; watch: PodWatch }[] = [];
const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);
const settle = () => pass(0);

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(async () => {
  for (const { waits, watch } of open.splice(0)) {
    waits.close();
    await watch.close();
  }
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

describe('a wait', () => {
  test('ends with the first list when the pod has ended before anyone looked', async () => {
    const { feed, watch, wait } = watching();
    feed.pods = [pod(succeeded())];
    const seen = wait();
    watch.start();
    await settle();
    expect(seen.outcome?.kind).toBe('uploaded');
  });

  test('ends with an event', async () => {
    const { feed, watch, wait } = watching();
    feed.pods = [pod({ fetch: running, node: 'n' })];
    const seen = wait();
    watch.start();
    await settle();
    expect(seen.outcome).toBeUndefined();
    feed.current.present(pod(succeeded({ resourceVersion: 101 })));
    await settle();
    expect(seen.outcome?.kind).toBe('uploaded');
  });

  test('ends at once when the watch had the end before the wait began', async () => {
    const { feed, watch, wait } = watching();
    feed.pods = [pod(succeeded())];
    watch.start();
    await settle();
    const seen = wait();
    await settle();
    expect(seen.outcome?.kind).toBe('uploaded');
    expect(feed.lists).toBe(1);
  });

  test('is told of every phase, and of the same one again while nothing changes', async () => {
    const { feed, watch, wait } = watching();
    const phases: PodPhase[] = [];
    wait('pod-1', 'uid-1', { onProgress: (phase) => phases.push(phase) });
    feed.pods = [pod({ node: 'n' })];
    watch.start();
    await settle();
    feed.current.present(pod({ node: 'n', fetch: running, resourceVersion: 101 }));
    await settle();
    feed.current.present(pod({ fetch: terminated(0), engine: running, resourceVersion: 102 }));
    feed.current.present(pod({ fetch: terminated(0), engine: running, resourceVersion: 103 }));
    await settle();
    expect(phases).toEqual(['created', 'scheduled', 'fetching', 'engine']);
    await pass(12_000);
    expect(phases).toEqual(['created', 'scheduled', 'fetching', 'engine', 'engine', 'engine']);
  });

  test('goes on when a caller throws in onProgress', async () => {
    const { feed, watch, wait, log } = watching();
    feed.pods = [pod({ fetch: running })];
    const bad = wait('pod-1', 'uid-1', {
      onProgress: () => {
        throw new Error('mine');
      },
    });
    watch.start();
    await settle();
    feed.current.present(pod(succeeded({ resourceVersion: 101 })));
    await settle();
    expect(bad.outcome?.kind).toBe('uploaded');
    expect(log.lines).toContainEqual(expect.objectContaining({ event: 'watch.unheard', pod: 'pod-1' }));
  });

  test('is given up with its signal, and others for the same pod are not', async () => {
    const { feed, watch, wait } = watching();
    feed.pods = [pod({ fetch: running })];
    const abort = new AbortController();
    const given = wait('pod-1', 'uid-1', { signal: abort.signal });
    const other = wait();
    watch.start();
    await settle();
    abort.abort(new Error('shutdown'));
    await settle();
    expect(given.error).toMatchObject({ name: 'AbortError' });
    feed.current.present(pod(succeeded({ resourceVersion: 101 })));
    await settle();
    expect(other.outcome?.kind).toBe('uploaded');
  });

  test('does not begin with a signal that has fired', async () => {
    const { wait } = watching();
    const seen = wait('pod-1', 'uid-1', { signal: AbortSignal.abort() });
    await settle();
    expect(seen.error).toMatchObject({ name: 'AbortError' });
  });

  test('ends with an AbortError when the driver closes', async () => {
    const { waits, wait } = watching();
    const seen = wait();
    waits.close();
    await settle();
    expect(seen.error).toMatchObject({ name: 'AbortError' });
  });
});

describe('gone', () => {
  test('is a pod that a list begun after the wait does not have', async () => {
    const { watch, wait } = watching();
    const seen = wait();
    watch.start();
    await settle();
    expect(seen.outcome).toMatchObject({ kind: 'gone' });
  });

  test('is not a pod that a list begun before the wait does not have', async () => {
    const { feed, watch, wait } = watching();
    const { promise, resolve } = Promise.withResolvers<void>();
    feed.gate = promise;
    watch.start();
    await settle();
    const seen = wait();
    feed.gate = undefined;
    resolve();
    await settle();
    expect(seen.outcome).toBeUndefined();
    feed.current.present(pod(succeeded({ resourceVersion: 101 })));
    await settle();
    expect(seen.outcome?.kind).toBe('uploaded');
  });

  test('is found within seconds when the pod went before the wait began', async () => {
    const { feed, watch, wait, log } = watching();
    watch.start();
    await settle();
    const seen = wait();
    await pass(1_000);
    expect(seen.outcome).toBeUndefined();
    expect(feed.lists).toBe(1);
    await pass(2_000);
    expect(seen.outcome).toMatchObject({ kind: 'gone' });
    expect(feed.lists).toBe(2);
    expect(log.events).toEqual(['watch.started', 'watch.relisted']);
    expect(log.lines.filter(({ code }) => code !== undefined)).toEqual([]);
  });

  test('is a pod whose name a pod of another UID has, in a list', async () => {
    const { feed, watch, wait } = watching();
    feed.pods = [pod(succeeded({ uid: 'another' }))];
    const seen = wait();
    watch.start();
    await settle();
    expect(seen.outcome).toMatchObject({ kind: 'gone' });
  });

  test('is a pod seen before whose name another UID has, in an event', async () => {
    const { feed, watch, wait } = watching();
    feed.pods = [pod({ fetch: running })];
    const seen = wait();
    watch.start();
    await settle();
    feed.current.present(pod({ uid: 'another', resourceVersion: 101 }));
    await settle();
    expect(seen.outcome).toMatchObject({ kind: 'gone' });
  });

  test('is not a pod that has not been seen yet, whatever an older one of that name does', async () => {
    const { feed, watch, wait } = watching();
    watch.start();
    await settle();
    const seen = wait('pod-1', 'newer');
    feed.current.present(pod({ uid: 'older', resourceVersion: 101 }));
    feed.current.deleted(pod({ uid: 'older', resourceVersion: 102 }));
    await settle();
    expect(seen.outcome).toBeUndefined();
    feed.current.present(pod(succeeded({ uid: 'newer', resourceVersion: 103 })));
    await settle();
    expect(seen.outcome?.kind).toBe('uploaded');
  });

  test('is not what is deleted after it ended well: its last state tells', async () => {
    const { feed, watch, wait } = watching();
    feed.pods = [pod({ engine: running })];
    const seen = wait();
    watch.start();
    await settle();
    feed.current.deleted(pod(succeeded({ resourceVersion: 101 })));
    await settle();
    expect(seen.outcome?.kind).toBe('uploaded');
  });

  test('is what is deleted without having ended', async () => {
    const { feed, watch, wait } = watching();
    feed.pods = [pod({ engine: running })];
    const seen = wait();
    watch.start();
    await settle();
    feed.current.deleted(pod({ engine: running, node: 'n', resourceVersion: 101 }));
    await settle();
    expect(seen.outcome).toMatchObject({ kind: 'gone', node: 'n' });
  });
});

describe('the watch', () => {
  test('goes on where the last event was after the server closes, without a list', async () => {
    const { feed, watch } = watching();
    watch.start();
    await settle();
    expect(feed.current.from).toBe('100');
    feed.current.present(pod({ resourceVersion: 105 }));
    await pass(30_000);
    feed.current.end();
    await settle();
    expect(feed.current.from).toBe('105');
    feed.current.bookmark('110');
    feed.current.end();
    await settle();
    expect(feed.current.from).toBe('110');
    expect(feed.lists).toBe(1);
  });

  test('takes repeated and reordered events for old news', async () => {
    const { feed, watch, waits, wait } = watching();
    watch.start();
    await settle();
    feed.current.present(pod(succeeded({ resourceVersion: 120 })));
    feed.current.present(pod({ engine: running, resourceVersion: 110 }));
    feed.current.present(pod(succeeded({ resourceVersion: 120 })));
    feed.current.deleted(pod({ engine: running, resourceVersion: 90 }));
    await settle();
    expect(waits.named('pod-1')?.phase).toBe('Succeeded');
    const seen = wait();
    await settle();
    expect(seen.outcome?.kind).toBe('uploaded');
  });

  test('takes every event where resource versions can not be compared', async () => {
    const { feed, watch, wait } = watching();
    feed.resourceVersion = 'abc';
    feed.pods = [pod({ engine: running, resourceVersion: 'x' })];
    const seen = wait();
    watch.start();
    await settle();
    feed.current.present(pod(succeeded({ resourceVersion: 'a' })));
    await settle();
    expect(seen.outcome?.kind).toBe('uploaded');
  });

  test('reads a list page by page', async () => {
    const { feed, watch, waits } = watching();
    feed.pageSize = 2;
    feed.pods = [1, 2, 3, 4, 5].map((n) => pod({ name: `pod-${n}`, uid: `uid-${n}` }));
    watch.start();
    await settle();
    expect([1, 2, 3, 4, 5].every((n) => waits.named(`pod-${n}`))).toBe(true);
    expect(feed.lists).toBe(1);
  });

  test('that says nothing, not even a bookmark, is left for a new list', async () => {
    const { feed, watch, wait, log } = watching();
    feed.pods = [pod({ engine: running })];
    const seen = wait();
    watch.start();
    await settle();
    const stuck = feed.current;
    feed.pods = [pod(succeeded({ resourceVersion: 101 }))];
    await pass(IDLE_MS - 1);
    expect(seen.outcome).toBeUndefined();
    await pass(1);
    expect(seen.outcome?.kind).toBe('uploaded');
    expect(stuck.signal.aborted).toBe(true);
    expect(feed.reconnects).toBe(1);
    expect(log.events).toEqual(expect.arrayContaining(['watch.stalled', 'watch.relisted']));
  });

  test('is kept alive by bookmarks', async () => {
    const { feed, watch } = watching();
    watch.start();
    await settle();
    for (let version = 101; version <= 104; version++) {
      await pass(IDLE_MS - 1);
      feed.current.bookmark(String(version));
      await settle();
    }
    expect(feed.lists).toBe(1);
    expect(feed.watches).toHaveLength(1);
  });

  test.each([
    ['as status', (feed: ScriptedFeed) => feed.watchErrors.push(new FeedExpired())],
    ['of a list in pages', (feed: ScriptedFeed) => feed.listErrors.push(new FeedExpired())],
  ])('that has expired (410 %s) begins anew without a pause', async (_, arrange) => {
    const { feed, watch, wait, log } = watching();
    arrange(feed);
    feed.pods = [pod({ engine: running })];
    wait();
    watch.start();
    await settle();
    expect(feed.lists).toBe(2);
    expect(log.events).toContain('watch.expired');
  });

  test('that expires again and again is asked with growing pauses', async () => {
    const { feed, watch } = watching();
    feed.watchErrors = Array.from({ length: 100 }, () => new FeedExpired());
    watch.start();
    await pass(10_000);
    expect(feed.lists).toBeLessThan(12);
    expect(feed.lists).toBeGreaterThan(4);
  });

  test('that breaks is made anew from a list, with growing pauses while it keeps breaking', async () => {
    const { feed, watch, wait, log } = watching();
    const broken = () => new KubeError({ message: 'A watch event was cut off.' });
    feed.watchErrors = [broken(), broken(), broken()];
    feed.pods = [pod({ engine: running })];
    const seen = wait();
    watch.start();
    await settle();
    expect(feed.lists).toBe(1);
    await pass(125);
    expect(feed.lists).toBe(2);
    await pass(250);
    expect(feed.lists).toBe(3);
    await pass(499);
    expect(feed.lists).toBe(3);
    feed.pods = [pod(succeeded({ resourceVersion: 101 }))];
    await pass(1);
    expect(seen.outcome?.kind).toBe('uploaded');
    expect(log.lines.filter(({ event }) => event === 'watch.failed')).toHaveLength(3);
  });

  test('forgets its failures with the first event', async () => {
    const { feed, watch } = watching();
    feed.watchErrors = Array.from({ length: 6 }, () => new KubeError({ message: 'broken' }));
    watch.start();
    await pass(60_000);
    const lists = feed.lists;
    feed.current.bookmark('101');
    await settle();
    feed.current.fail(new KubeError({ message: 'broken' }));
    await pass(125);
    expect(feed.lists).toBe(lists + 1);
  });

  test('that a server closes at once and without a word is not asked in a loop', async () => {
    const { feed, watch } = watching();
    const watchOnce = feed.watch.bind(feed);
    feed.watch = (version, signal) => {
      const events = watchOnce(version, signal);
      feed.current.end();
      return events;
    };
    watch.start();
    await pass(10_000);
    expect(feed.watches.length).toBeLessThan(12);
  });

  test('is compared with a new list now and then, which heals a lost event', async () => {
    const { feed, watch, wait } = watching();
    feed.pods = [pod({ engine: running, activeDeadlineSeconds: 3_600 })];
    const seen = wait();
    watch.start();
    await settle();
    feed.pods = [pod(succeeded({ resourceVersion: 101 }))];
    for (let minute = 0; minute < 10; minute++) {
      await pass(30_000);
      feed.current.bookmark(String(200 + minute));
      feed.current.end();
    }
    await settle();
    expect(seen.outcome?.kind).toBe('uploaded');
    expect(feed.lists).toBe(2);
  });

  test('outlives an API server that is away, and waits fail only after minutes', async () => {
    const { feed, watch, wait } = watching();
    feed.pods = [pod({ engine: running, activeDeadlineSeconds: 3_600 })];
    const seen = wait();
    watch.start();
    await settle();
    feed.listErrors = Array.from({ length: 1_000 }, () => new KubeError({ status: 503 }));
    feed.current.fail(new KubeError({ message: 'cut' }));
    await pass(60_000);
    expect(seen).toEqual({});
    feed.listErrors = [];
    await pass(15_000);
    expect(seen).toEqual({});
    feed.listErrors = Array.from({ length: 1_000 }, () => new KubeError({ status: 503 }));
    feed.current.fail(new KubeError({ message: 'cut' }));
    await pass(330_000);
    expect(seen.error).toMatchObject({ code: 'kubernetes.unavailable', retryable: true });
  });
});

test('credentials that are not accepted may be renewed: a wait for a pod can be tried again', async () => {
  const { feed, watch, wait } = watching();
  const seen = wait();
  feed.listErrors = Array.from({ length: 1_000 }, () => new KubeError({ status: 401 }));
  watch.start();
  await pass(330_000);
  expect(seen.error).toMatchObject({ code: 'kubernetes.forbidden', retryable: true });
});

describe('deadlines', () => {
  const unschedulable = (resourceVersion: number) =>
    pod({
      resourceVersion,
      annotations: { 'pristine.dev/start-deadline-seconds': '60' },
      status: {
        conditions: [
          {
            type: 'PodScheduled',
            status: 'False',
            reason: 'Unschedulable',
            message: '0/1 nodes are available: 1 Insufficient memory.',
          },
        ],
      },
    });

  /** Time in which the server says something now and then, as it does. */
  async function quiet(feed: ScriptedFeed, seconds: number) {
    for (let passed = 0; passed < seconds; passed += 10) {
      feed.current.bookmark(String(1_000_000 + Math.round(performance.now())));
      await pass(10_000);
    }
  }

  test('a pod that finds no node is given up in the words of the scheduler', async () => {
    const { feed, watch, wait } = watching();
    feed.pods = [unschedulable(10)];
    const seen = wait();
    watch.start();
    await settle();
    await quiet(feed, 50);
    expect(seen.outcome).toBeUndefined();
    await quiet(feed, 20);
    expect(seen.outcome).toMatchObject({
      kind: 'failed',
      class: 'capacity',
      reason: 'No node for the pod within 60 s: 0/1 nodes are available: 1 Insufficient memory.',
    });
  });

  test('a deadline counts only once a new list has confirmed that nothing happened', async () => {
    const { feed, watch, wait } = watching();
    feed.pods = [unschedulable(10)];
    const seen = wait();
    watch.start();
    await settle();
    feed.pods = [pod(succeeded({ resourceVersion: 2_000_000 }))];
    await quiet(feed, 70);
    expect(seen.outcome?.kind).toBe('uploaded');
  });

  test('a list that began before the deadline does not confirm it', async () => {
    const { feed, watch, wait } = watching();
    feed.pods = [unschedulable(10)];
    const seen = wait();
    watch.start();
    await settle();
    await quiet(feed, 50);
    const { promise, resolve } = Promise.withResolvers<void>();
    feed.gate = promise;
    feed.current.fail(new FeedExpired());
    await pass(20_000);
    // What that list saw is from before; by now it has ended.
    feed.pods = [pod(succeeded({ resourceVersion: 2_000_000 }))];
    feed.gate = undefined;
    resolve();
    await settle();
    expect(seen.outcome?.kind).toBe('uploaded');
  });

  test('a deadline that passes while the API server is away waits for it', async () => {
    const { feed, watch, wait } = watching();
    feed.pods = [unschedulable(10)];
    const seen = wait();
    watch.start();
    await settle();
    feed.listErrors = Array.from({ length: 1_000 }, () => new KubeError({ status: 503 }));
    feed.current.fail(new KubeError({ message: 'cut' }));
    await pass(120_000);
    expect(seen.outcome).toBeUndefined();
    feed.listErrors = [];
    feed.pods = [pod(succeeded())];
    await pass(20_000);
    expect(seen.outcome?.kind).toBe('uploaded');
  });

  test('an image that can not be pulled is somebody’s mistake after a short grace', async () => {
    const { feed, watch, wait } = watching();
    feed.pods = [pod({ node: 'n', fetch: waiting('ImagePullBackOff', 'Back-off pulling image "x"') })];
    const seen = wait();
    watch.start();
    await settle();
    await quiet(feed, 20);
    expect(seen.outcome).toBeUndefined();
    await quiet(feed, 20);
    expect(seen.outcome).toMatchObject({
      kind: 'failed',
      class: 'configuration',
      reason: 'fetch can not start: ImagePullBackOff: Back-off pulling image "x"',
    });
  });

  test('a mistake that shows late has its grace all the same', async () => {
    const { feed, watch, wait } = watching();
    feed.pods = [pod({ node: 'n', fetch: waiting('PodInitializing') })];
    const seen = wait();
    watch.start();
    await settle();
    await quiet(feed, 60);
    const wrong = { node: 'n', fetch: waiting('ErrImagePull'), resourceVersion: 9_000_000 };
    feed.pods = [pod(wrong)];
    feed.current.present(pod(wrong));
    await pass(20_000);
    expect(seen.outcome).toBeUndefined();
    await pass(20_000);
    expect(seen.outcome).toMatchObject({ kind: 'failed', class: 'configuration' });
  });

  test('an image that is pulled in the end was no mistake', async () => {
    const { feed, watch, wait } = watching();
    feed.pods = [pod({ node: 'n', fetch: waiting('ErrImagePull') })];
    const seen = wait();
    watch.start();
    await settle();
    await quiet(feed, 20);
    feed.pods = [pod({ node: 'n', fetch: running, resourceVersion: 9_000_000 })];
    feed.current.present(pod({ node: 'n', fetch: running, resourceVersion: 9_000_000 }));
    await quiet(feed, 60);
    expect(seen.outcome).toBeUndefined();
  });

  test('a node that does not end a pod at its deadline is given up a little later', async () => {
    const { feed, watch, wait } = watching();
    feed.pods = [pod({ node: 'n', engine: running, activeDeadlineSeconds: 30 })];
    const seen = wait();
    watch.start();
    await settle();
    await quiet(feed, 80);
    expect(seen.outcome).toBeUndefined();
    await quiet(feed, 20);
    expect(seen.outcome).toMatchObject({ kind: 'failed', class: 'disruption', node: 'n' });
  });

  test('a pod that its node has not taken up is lost with the node', async () => {
    const { feed, watch, wait } = watching();
    feed.pods = [pod({ node: 'n' })];
    const seen = wait();
    watch.start();
    await settle();
    await quiet(feed, 290);
    expect(seen.outcome).toBeUndefined();
    await quiet(feed, 20);
    expect(seen.outcome).toMatchObject({
      kind: 'failed',
      class: 'disruption',
      reason: 'No container started within 300 s on node n, which has not taken it up: it may be lost.',
    });
  });

  test('a pod that its node has begun with may be evicted from it first, then somebody has to look', async () => {
    const { feed, watch, wait } = watching();
    feed.pods = [pod({ node: 'n', fetch: waiting('PodInitializing') })];
    const seen = wait();
    watch.start();
    await settle();
    await quiet(feed, 350);
    expect(seen.outcome).toBeUndefined();
    await quiet(feed, 20);
    expect(seen.outcome).toMatchObject({
      kind: 'failed',
      class: 'configuration',
      reason: expect.stringMatching(/^No container started within 300 s on node n: see the events/),
    });
  });
});
