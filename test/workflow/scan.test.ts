import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { ScanSummary } from '../../workflows/contract.ts';
import { fileWorkflowId, UPDATE } from '../../workflows/contract.ts';
import { until } from '../contract/until.ts';
import { expectEachOnce } from './each-once.ts';
import type { Harness } from './harness.ts';
import { committed, files, gate, good, openHarness, progressOf } from './harness.ts';

/** Each of some tests runs dozens of children, on a machine that does other things too. */
jest.setTimeout(300_000);

let env: TestWorkflowEnvironment;
let harness: Harness;

beforeAll(async () => {
  ({ env, harness } = await openHarness());
}, 120_000);
afterAll(async () => {
  await env?.teardown();
});

describe('scan', () => {
  test('every listed file has exactly one outcome, each content one pod', async () => {
    const listed = files(60, 50);
    const { summary, memory } = await harness.finished({ files: listed }, { parallelFiles: 7 });
    expect(summary).toMatchObject({ listed: 60, outcomes: { rebuilt: 50, delivered: 10 } });
    expect(memory.pods).toHaveLength(50);
    expect(memory.mostAtOnce()).toBeLessThanOrEqual(7);
    expectEachOnce(memory, listed);
  });

  test('continues as new again and again without losing or repeating a file', async () => {
    const listed = files(50, 45);
    const input = { parallelFiles: 5 };
    await harness.withScan({ files: listed, historyLimit: 60 }, input, async ({ handle, memory }) => {
      const first = (await handle.describe()).runId;
      const summary = (await handle.result()) as ScanSummary;
      expect((await handle.describe()).runId).not.toBe(first);
      expect(summary.listed).toBe(50);
      expect(memory.pods).toHaveLength(45);
      expectEachOnce(memory, listed);
    });
  });

  test('a content that ends in the very task in which the scan leaves is not lost', async () => {
    const listed = files(4);
    // Every run but the first few waits for what an earlier one began, and may leave as soon as that has ended.
    const { summary, memory } = await harness.finished({ files: listed, historyLimit: 5 });
    expect(summary).toMatchObject({ listed: 4, outcomes: { rebuilt: 4 } });
    expectEachOnce(memory, listed);
  });

  test('thousands of copies of one slow file: the scan leaves in time, and every name has its outcome', async () => {
    const listed = files(10_000, 1);
    const { opened, open } = gate();
    const ends = async () => opened.then(() => committed);
    await harness.withScan({ files: listed, ends, largestBatch: 1_200 }, {}, async (run) => {
      let held = 0;
      // Until the listing rests: a page takes less.
      await until(async () => {
        const before = held;
        await sleep(4_000);
        held = (await progressOf(run)).listed;
        return held > 0 && held === before;
      }, 240);
      // What a run hands on to the next is one payload: with a megabyte held of some 130 bytes each it rests.
      expect(held).toBeLessThan(9_000);
      open();
      expect((await run.handle.result()) as ScanSummary).toMatchObject({
        listed: 10_000,
        outcomes: { rebuilt: 1, delivered: 9_999 },
      });
      expectEachOnce(run.memory, listed);
    });
  });

  test('an empty source is done at once', async () => {
    const { summary } = await harness.finished({ files: [] });
    expect(summary.listed).toBe(0);
  });

  test('what the index knows costs no child and no pod', async () => {
    const listed = files(300);
    const known = new Set(listed.map((file) => file.sha256));
    const { summary, memory } = await harness.finished({ files: listed, known });
    expect(summary.outcomes.delivered).toBe(300);
    expect(memory.pods).toEqual([]);
    expectEachOnce(memory, listed);
  });

  test.each([
    ['as many as wait', { largestBatch: 1_200 }, 225],
    ['at most 200 of a scan that an older worker has opened', {}, 200],
  ])('files are settled together: %s', async (_, options, first) => {
    const listed = files(300);
    const known = new Set(listed.map((file) => file.sha256));
    const { memory } = await harness.finished({ files: listed, known, ...options });
    expect(memory.settlings[0]).toBe(first);
    expectEachOnce(memory, listed);
  });

  test('a record whose content is missing leads to a pod, not to a lost file', async () => {
    const listed = files(3);
    const known = new Set(listed.map((file) => file.sha256));
    const { summary, memory } = await harness.finished({
      files: listed,
      known,
      missing: new Set([listed[1]?.sha256 ?? '']),
    });
    expect(summary.outcomes).toMatchObject({ delivered: 2, rebuilt: 1 });
    expect(memory.pods).toEqual([listed[1]?.sha256]);
  });

  test('counted attempts are bounded, a failing content is quarantined and frees its slot', async () => {
    const listed = files(4);
    const bad = listed[0]?.sha256;
    const { summary, memory } = await harness.finished(
      {
        files: listed,
        ends: (sha256) =>
          sha256 === bad ? { kind: 'failed', class: 'crash', reason: 'the engine crashed' } : committed,
      },
      { parallelFiles: 1, retries: 2 },
    );
    expect(summary.outcomes).toMatchObject({ rebuilt: 3, quarantined: 1 });
    expect(memory.pods.filter((sha256) => sha256 === bad)).toHaveLength(3);
    expect(memory.manifest.find((line) => line.sha256 === bad)?.reason).toBe(
      'the engine crashed (3 of 3 attempts)',
    );
    expectEachOnce(memory, listed);
  });

  test('a pod that can not be deleted is left to the sweeper: what was committed counts', async () => {
    const listed = files(3);
    const [left, bad] = listed.map(({ sha256 }) => sha256);
    const { summary, memory } = await harness.finished(
      {
        files: listed,
        deletes: (sha256) => sha256 !== left && sha256 !== bad,
        ends: (sha256) =>
          sha256 === bad ? { kind: 'failed', class: 'crash', reason: 'the engine crashed' } : committed,
      },
      { retries: 1 },
    );
    expect(summary.outcomes).toMatchObject({ rebuilt: 2, quarantined: 1 });
    expect(memory.quarantines).toEqual([{ sha256: bad, class: 'crash' }]);
    expectEachOnce(memory, listed);
  });

  test('an engine that needs more memory gets the next size, then is quarantined as resource', async () => {
    const { summary, memory } = await harness.finished(
      { files: files(1), ends: () => ({ kind: 'failed', class: 'resource', reason: 'out of memory' }) },
      { retries: 2 },
    );
    expect(summary.outcomes).toMatchObject({ quarantined: 1 });
    expect(memory.tiers).toEqual([0, 1, 1]);
    expect(memory.quarantines).toMatchObject([{ class: 'resource' }]);
  });

  test('lost pods are not counted: each loss is made good within the same run', async () => {
    const { summary, memory } = await harness.finished(
      {
        files: files(1),
        ends: (_, attempt) =>
          attempt < 4 ? { kind: 'failed', class: 'disruption', reason: 'node drained' } : committed,
      },
      { retries: 0 },
    );
    expect(summary.outcomes).toMatchObject({ rebuilt: 1 });
    expect(memory.pods).toHaveLength(4);
    expect(memory.manifest[0]?.attempts).toBe(4);
  });

  test.each(['listPage', 'settleFiles', 'finishScan', 'clearScan'] as const)(
    'trouble that outlasts %s pauses the scan, which goes on once it is resumed',
    async (broken) => {
      const listed = files(3);
      let away = true;
      const before = (step: string) => {
        if (step !== broken || !away) return;
        away = false;
        // The next try would be after the step's two hours.
        throw ApplicationFailure.create({ message: 'Could not reach S3.', nextRetryDelay: '3 hours' });
      };
      await harness.withScan({ files: listed, before }, {}, async (run) => {
        await until(async () => (await progressOf(run)).state === 'paused');
        expect((await progressOf(run)).reason).toMatch(/^Could not reach S3\. .*"resume"\.$/);
        await run.handle.executeUpdate(UPDATE.resume);
        const summary = (await run.handle.result()) as ScanSummary;
        expect(summary.outcomes).toMatchObject({ rebuilt: 3 });
        expectEachOnce(run.memory, listed);
      });
    },
  );

  test('a forced scan runs what is known once more, each content once', async () => {
    const listed = files(6, 3);
    const known = new Set(listed.map((file) => file.sha256));
    const { summary, memory } = await harness.finished({ files: listed, known }, { mode: 'force' });
    expect(summary.outcomes).toMatchObject({ rebuilt: 3, delivered: 3 });
    expect(memory.pods).toHaveLength(3);
    expectEachOnce(memory, listed);
  });

  test('a file that changed is said so, and the other name of its content is still rebuilt', async () => {
    const listed = files(2, 1);
    let asked = 0;
    const { summary, memory } = await harness.finished({
      files: listed,
      ends: () =>
        asked++ === 0 ? { kind: 'moved', outcome: 'changed', reason: 'other bytes than listed' } : committed,
    });
    expect(summary.outcomes).toMatchObject({ changed: 1, rebuilt: 1 });
    expectEachOnce(memory, listed);
  });

  test.each([
    ['a wrong field', { wrong: 1 }, 'InvalidInput', /unknown field "wrong"/],
    ['no files at a time', { parallelFiles: 0 }, 'InvalidInput', /"parallelFiles": given 0/],
    ['negative retries', { retries: -1 }, 'InvalidInput', /"retries": given -1/],
    [
      'a mode that is none',
      { mode: 'again' },
      'InvalidInput',
      /"mode": given "again", expected one of reuse/,
    ],
    ['a limit that is none', { failureLimit: { share: 2, of: 20 } }, 'InvalidInput', /"failureLimit/],
    ['a missing source', { source: 'file:///nowhere' }, 'source.missing', /no such folder/],
  ])('%s fails the workflow at once, with words', async (_, input, type, message) => {
    const failure = await harness.finished({ files: [] }, input).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(WorkflowFailedError);
    const { cause } = failure as WorkflowFailedError;
    const told = type === 'InvalidInput' ? cause : cause?.cause;
    expect(told).toMatchObject({ type, message: expect.stringMatching(message) });
  });
});

describe('a scan that people speak to', () => {
  test('setParallelFiles widens the window, refuses nonsense', async () => {
    const { opened, open } = gate();
    const ends = async () => opened.then(() => committed);
    await harness.withScan({ files: files(20), ends }, { parallelFiles: 2 }, async (run) => {
      await until(async () => (await progressOf(run)).inFlight === 2);
      await expect(run.handle.executeUpdate(UPDATE.setParallelFiles, { args: [0] })).rejects.toThrow();
      await run.handle.executeUpdate(UPDATE.setParallelFiles, { args: [6] });
      await until(async () => (await progressOf(run)).inFlight === 6);
      open();
      expect((await run.handle.result()) as ScanSummary).toMatchObject({ listed: 20 });
    });
  });

  test('pause holds, resume goes on, drain ends with what was begun', async () => {
    const { opened, open } = gate();
    const ends = async () => opened.then(() => committed);
    await harness.withScan({ files: files(300), ends }, { parallelFiles: 3 }, async (run) => {
      await until(async () => (await progressOf(run)).inFlight === 3);
      await run.handle.executeUpdate(UPDATE.pause, { args: ['lunch'] });
      open();
      await until(async () => (await progressOf(run)).done.rebuilt === 3);
      expect(await progressOf(run)).toMatchObject({ state: 'paused', reason: 'lunch', inFlight: 0 });
      await run.handle.executeUpdate(UPDATE.resume);
      await expect(run.handle.executeUpdate(UPDATE.resume)).rejects.toThrow();
      await run.handle.executeUpdate(UPDATE.drain);
      const summary = (await run.handle.result()) as ScanSummary;
      expect(summary.listed).toBe(summary.outcomes.rebuilt);
      expect(summary.listed).toBeLessThan(300);
      expect(run.memory.manifest).toHaveLength(summary.listed);
    });
  });

  test('what a person must mend pauses the scan with the reason, and nothing is lost', async () => {
    const listed = files(6);
    let mended = false;
    const ends = () =>
      mended ? committed : ({ kind: 'failed', class: 'configuration', reason: 'no such image' } as const);
    await harness.withScan({ files: listed, ends }, {}, async (run) => {
      await until(async () => (await progressOf(run)).state === 'paused');
      expect((await progressOf(run)).reason).toMatch(/no such image/);
      await until(async () => (await progressOf(run)).inFlight === 0);
      mended = true;
      await run.handle.executeUpdate(UPDATE.resume);
      expect((await run.handle.result()) as ScanSummary).toMatchObject({ outcomes: { rebuilt: 6 } });
      expectEachOnce(run.memory, listed);
    });
  });

  test('a scan pauses itself when one kind of failure takes half of the last contents', async () => {
    const listed = files(12);
    let broken = true;
    const ends = () =>
      broken ? ({ kind: 'failed', class: 'crash', reason: 'the engine crashed' } as const) : committed;
    const input = { retries: 0, parallelFiles: 1, failureLimit: { share: 0.5, of: 6 } };
    await harness.withScan({ files: listed, ends }, input, async (run) => {
      await until(async () => (await progressOf(run)).state === 'paused');
      expect((await progressOf(run)).reason).toMatch(/6 of the last 6 .* crash/);
      broken = false;
      await until(async () => (await progressOf(run)).inFlight === 0);
      await run.handle.executeUpdate(UPDATE.resume);
      expect((await run.handle.result()) as ScanSummary).toMatchObject({
        outcomes: { quarantined: 6, rebuilt: 6 },
      });
      expectEachOnce(run.memory, listed);
    });
  });

  test('one content that is tried again in each pass does not pause a watching scan', async () => {
    const ends = () => {
      throw ApplicationFailure.nonRetryable('the receipt is not to be had');
    };
    const input = { watch: 1, retries: 0, failureLimit: { share: 1, of: 5 } };
    await harness.withScan({ files: files(1), ends }, input, async (run) => {
      await until(async () => (await progressOf(run)).done?.quarantined >= 6, 60);
      expect((await progressOf(run)).state).not.toBe('paused');
      await run.handle.executeUpdate(UPDATE.drain);
      await run.handle.result();
    });
  });

  test('no room in the cluster: nothing is counted, the window shrinks, progress says why, then it grows', async () => {
    const listed = files(20);
    let full = true;
    const refuses = () =>
      full ? { type: 'kubernetes.quota', message: 'exceeded quota: pods=4' } : undefined;
    await harness.withScan({ files: listed, refuses }, { retries: 0, parallelFiles: 8 }, async (run) => {
      await until(async () => (await progressOf(run)).state === 'waiting');
      expect(await progressOf(run)).toMatchObject({ reason: 'exceeded quota: pods=4', parallelFiles: 8 });
      expect((await progressOf(run)).window).toBeLessThan(8);
      full = false;
      expect((await run.handle.result()) as ScanSummary).toMatchObject({ outcomes: { rebuilt: 20 } });
      expectEachOnce(run.memory, listed);
    });
  });

  test.each(['kubernetes.forbidden', 'kubernetes.invalid', 'InvalidInput'])(
    'a pod that is refused with %s pauses the scan with the reason, and costs no attempt',
    async (type) => {
      const listed = files(3);
      let mended = false;
      const refuses = () => (mended ? undefined : { type, message: 'the policy says no' });
      await harness.withScan({ files: listed, refuses }, { retries: 0 }, async (run) => {
        await until(async () => (await progressOf(run)).state === 'paused');
        expect((await progressOf(run)).reason).toMatch(/the policy says no/);
        await until(async () => (await progressOf(run)).inFlight === 0);
        mended = true;
        await run.handle.executeUpdate(UPDATE.resume);
        expect((await run.handle.result()) as ScanSummary).toMatchObject({ outcomes: { rebuilt: 3 } });
      });
    },
  );

  test('two scans of the same files share the children', async () => {
    const listed = files(10);
    const { opened, open } = gate();
    const ends = async () => opened.then(() => committed);
    await harness.withScan({ files: listed, ends }, {}, async (run) => {
      await until(async () => (await progressOf(run)).inFlight === 10);
      const second = await harness.start(good, `${run.scanId}-second`, `queue-${run.fingerprint}`);
      await until(async () => (await progressOf({ ...run, handle: second })).inFlight === 10);
      open();
      expect((await run.handle.result()) as ScanSummary).toMatchObject({ outcomes: { rebuilt: 10 } });
      expect((await second.result()) as ScanSummary).toMatchObject({ outcomes: { delivered: 10 } });
      expect(run.memory.pods).toHaveLength(10);
    });
  });

  test('a child that is terminated frees its slot and its content runs anew', async () => {
    const listed = files(2);
    const { opened, open } = gate();
    const ends = async () => opened.then(() => committed);
    await harness.withScan({ files: listed, ends }, { parallelFiles: 2 }, async (run) => {
      await until(async () => (await progressOf(run)).inFlight === 2);
      const child = env.client.workflow.getHandle(fileWorkflowId(listed[0]?.sha256 ?? '', run.fingerprint));
      await until(async () =>
        child.describe().then(
          () => true,
          () => false,
        ),
      );
      await child.terminate('by hand');
      open();
      const { listed: count, outcomes } = (await run.handle.result()) as ScanSummary;
      // A step of the terminated one that was under way may still have finished the work.
      expect([count, outcomes.rebuilt + outcomes.delivered]).toEqual([2, 2]);
      expectEachOnce(run.memory, listed);
    });
  });
});
