/** What every implementation of the Pods port does. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { FilePodRequest, PodOutcome, PodPhase, PodRef, Pods } from '../../drivers/ports.ts';
import { BEHAVIOURS, type Behaviour, type PodsHarness } from './pods-harness.ts';

const REASON = 'refused on purpose';

/** One per behaviour: the outcome without what differs from pod to pod. */
const OUTCOMES: Record<Exclude<Behaviour, 'hang'>, Record<string, unknown>> = {
  rebuild: { kind: 'uploaded', exitCodes: { fetch: 0, engine: 0, upload: 0 } },
  refuse: { kind: 'uploaded', exitCodes: { fetch: 0, engine: 0, upload: 0 } },
  'refuse-by-exit': { kind: 'refused', reason: REASON, exitCodes: { fetch: 0, engine: 3 } },
  crash: { kind: 'failed', class: 'crash', exitCodes: { fetch: 0, engine: 7 } },
  nothing: { kind: 'failed', class: 'crash', exitCodes: { fetch: 0, engine: 0, upload: 20 } },
  memory: { kind: 'failed', class: 'resource' },
  'reach-deadline': { kind: 'failed', class: 'resource' },
  changed: { kind: 'changed', exitCodes: { fetch: 10 } },
  'source-gone': { kind: 'source-gone', exitCodes: { fetch: 11 } },
  'link-refused': { kind: 'failed', class: 'disruption', exitCodes: { fetch: 12 } },
  'destination-away': { kind: 'failed', class: 'transfer', exitCodes: { fetch: 0, engine: 0, upload: 13 } },
};

/** The slowest first. */
const ENDING = BEHAVIOURS.filter((behaviour) => behaviour !== 'hang').toSorted(
  (a, b) => Number(b === 'reach-deadline') - Number(a === 'reach-deadline'),
);

export function describePods(name: string, make: () => Promise<PodsHarness>): void {
  describe(`Pods: ${name}`, () => {
    let harness: PodsHarness;
    let pods: Pods;
    const cleanUp: { name: string; uid: string }[] = [];
    /** Created all at once, since a real pod takes seconds. */
    const running = new Map<Behaviour, { ref: PodRef; phases: PodPhase[]; outcome: Promise<PodOutcome> }>();

    const create = async (request: FilePodRequest) => {
      const ref = await pods.create(request);
      cleanUp.push(ref);
      return ref;
    };
    /** Another run's request does not get this pod: it is told to come again, and then makes its own. */
    const expectReplaced = async (ref: PodRef, other: FilePodRequest) => {
      await expect(pods.create(other)).rejects.toMatchObject({
        code: 'kubernetes.conflict',
        retryable: true,
      });
      const fresh = await eventually(() => create(other));
      expect(fresh).toMatchObject({ name: ref.name, adopted: false });
      expect(fresh.uid).not.toBe(ref.uid);
    };
    const started = (behaviour: Behaviour) => {
      const found = running.get(behaviour);
      if (!found) throw new Error(`no pod for ${behaviour}`);
      return found;
    };

    beforeAll(async () => {
      harness = await make();
      pods = harness.pods;
      for (const behaviour of ENDING) {
        const ref = await create(harness.request(behaviour));
        const phases: PodPhase[] = [];
        const outcome = pods.await(ref, { onProgress: (phase) => phases.push(phase) });
        // Looked at in its own test.
        outcome.catch(() => undefined);
        running.set(behaviour, { ref, phases, outcome });
      }
    });
    afterAll(async () => {
      for (const pod of cleanUp) await pods.remove(pod);
      await harness.close();
    });

    test('check finds everything in order', async () => {
      await expect(pods.check()).resolves.toBeUndefined();
    });

    test.each(ENDING)('tells how it ended: %s', async (behaviour) => {
      const outcome = await started(behaviour).outcome;
      expect(outcome).toMatchObject(OUTCOMES[behaviour]);
      if (outcome.kind !== 'uploaded') expect(outcome.reason).not.toBe('');
    });

    test('hands on what the uploader said', async () => {
      const request = harness.request('rebuild');
      const ref = await create(request);
      const outcome = await pods.await(ref);
      expect(outcome).toMatchObject({
        kind: 'uploaded',
        report: {
          verdict: 'rebuilt',
          files: expect.arrayContaining([
            {
              name: 'rebuilt',
              size: harness.rebuiltSize(request),
              sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
            },
          ]),
        },
      });
      const refused = await started('refuse').outcome;
      expect(refused).toMatchObject({ report: { verdict: 'refused', reason: REASON } });
    });

    test('says when and where, with the seconds of the engine', async () => {
      const { node, times } = await started('rebuild').outcome;
      expect(node).toEqual(expect.any(String));
      for (const time of [times.createdAt, times.startedAt, times.finishedAt])
        expect(Number.isNaN(Date.parse(time ?? ''))).toBe(false);
      expect(times.engineSeconds).toBeGreaterThanOrEqual(0);
    });

    test('names phases in their order only', async () => {
      const { phases, outcome } = started('rebuild');
      await outcome;
      const order: PodPhase[] = ['created', 'scheduled', 'fetching', 'engine', 'uploading'];
      const seen = phases.map((phase) => order.indexOf(phase));
      expect(seen[0]).toBe(0);
      expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    });

    test('tells the same to whoever asks later', async () => {
      const { ref, outcome } = started('refuse-by-exit');
      expect(await pods.await(ref)).toEqual(await outcome);
    });

    test('keeps the logs until the pod is removed', async () => {
      const { ref, outcome } = started('refuse-by-exit');
      await outcome;
      expect(await pods.log(ref, 'engine', 10_000)).toContain(REASON);
      expect(await pods.log(ref, 'engine', 8)).toBe(`purpose\n`);
      expect(await pods.log(ref, 'upload', 10_000)).toBeNull();
      expect(await pods.log({ ...ref, name: 'pristine-no-such-pod' }, 'engine', 100)).toBeNull();
    });

    test('adopts the pod of the same attempt, which writes to the slot it was made with', async () => {
      const request = harness.request('hang', { slot: 'a1-first' });
      const first = await create(request);
      expect(first).toEqual({ name: request.name, uid: first.uid, slot: 'a1-first', adopted: false });
      const again = await create({ ...request, slot: 'a1-second' });
      expect(again).toEqual({ ...first, adopted: true });
      const retried = await create({ ...request, runId: 'another-run', slot: 'a1-third' });
      expect(retried).toEqual({ ...first, adopted: true });
    });

    test('adopts its own failed pod, whose end is the attempt’s end', async () => {
      const request = harness.request('crash');
      const ref = await create(request);
      await pods.await(ref);
      expect(await create(request)).toEqual({ ...ref, adopted: true });
    });

    test('takes no failed pod over from another run, but makes room for a new one', async () => {
      const request = harness.request('crash');
      const ref = await create(request);
      await pods.await(ref);
      await expectReplaced(ref, { ...request, runId: 'another-run' });
    });

    test('takes no pod over from another run whose links lead elsewhere, but makes room for a new one', async () => {
      const request = harness.request('hang', { places: '0123456789abcdef' });
      const ref = await create(request);
      const elsewhere = { ...request, places: 'fedcba9876543210' };
      expect(await create(elsewhere)).toEqual({ ...ref, adopted: true });
      await expectReplaced(ref, { ...elsewhere, runId: 'another-run' });
    });

    test('waits for one that is being deleted, then makes a new one', async () => {
      const request = harness.request('hang');
      const ref = await create(request);
      await untilPhase(pods, ref, 'engine');
      await pods.remove(ref);
      await expect(pods.create(request)).rejects.toMatchObject({
        code: 'kubernetes.conflict',
        retryable: true,
      });
      const fresh = await eventually(() => create(request));
      expect(fresh.uid).not.toBe(ref.uid);
      // No late event about the old pod ends the wait for the new one.
      await untilPhase(pods, fresh, 'engine');
    });

    test('leaves a pod of that name alone that is not ours', async () => {
      const request = harness.request('rebuild');
      await harness.plantForeign(request.name);
      await expect(pods.create(request)).rejects.toMatchObject({
        code: 'kubernetes.conflict',
        retryable: false,
      });
    });

    test('removes only the pod of that UID; gone is success', async () => {
      const ref = await create(harness.request('hang'));
      await pods.remove({ name: ref.name, uid: '00000000-0000-0000-0000-000000000000' });
      expect((await pods.list()).find(({ uid }) => uid === ref.uid)?.phase).not.toBe('Terminating');
      await pods.remove(ref);
      await pods.remove(ref);
      await eventually(async () => {
        if ((await pods.list()).some(({ uid }) => uid === ref.uid)) throw new Error('still there');
      });
      await pods.remove(ref);
    });

    test('a pod that somebody deletes is a disruption or gone, soon', async () => {
      const ref = await create(harness.request('hang'));
      const outcome = pods.await(ref);
      await pods.remove(ref);
      expect(['gone', 'disruption']).toContain(await kindOrClass(outcome));
    });

    test('a pod that is away before anyone waits is gone', async () => {
      const ref = await create(harness.request('hang'));
      await pods.remove(ref);
      await eventually(async () => {
        if ((await pods.list()).some(({ uid }) => uid === ref.uid)) throw new Error('still there');
      });
      expect(await kindOrClass(pods.await(ref))).toBe('gone');
    });

    test('a wait that is given up leaves its pod alone', async () => {
      const ref = await create(harness.request('hang'));
      const abort = new AbortController();
      const outcome = pods.await(ref, { signal: abort.signal });
      abort.abort();
      await expect(outcome).rejects.toMatchObject({ name: 'AbortError' });
      expect((await pods.list()).find(({ uid }) => uid === ref.uid)?.phase).not.toBe('Terminating');
    });

    test('lists what there is, with the owner of each', async () => {
      const request = harness.request('hang', { workflowId: 'file-listed', runId: 'run-listed' });
      const ref = await create(request);
      const listed = (await pods.list()).filter(({ uid }) => uid === ref.uid);
      expect(listed).toEqual([
        {
          name: ref.name,
          uid: ref.uid,
          workflowId: 'file-listed',
          runId: 'run-listed',
          createdAt: expect.any(String),
          phase: expect.any(String),
        },
      ]);
      // The server's clock and ours are of one machine; its times have whole seconds.
      expect(Math.abs(Date.parse(listed[0]?.createdAt ?? '') - Date.now())).toBeLessThan(60_000);
    });
  });
}

async function kindOrClass(outcome: Promise<PodOutcome>): Promise<string> {
  const ended = await outcome;
  return ended.kind === 'failed' ? ended.class : ended.kind;
}

function untilPhase(pods: Pods, ref: PodRef, wanted: PodPhase): Promise<void> {
  const abort = new AbortController();
  return new Promise((resolve, reject) => {
    pods
      .await(ref, {
        signal: abort.signal,
        onProgress: (phase) => {
          if (phase !== wanted) return;
          resolve();
          abort.abort();
        },
      })
      .then((outcome) => reject(new Error(`ended: ${JSON.stringify(outcome)}`)), reject);
  });
}

/** Tries again every 100 ms for a minute. */
async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (let left = 600; ; left--) {
    try {
      return await attempt();
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
