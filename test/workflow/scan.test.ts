import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WorkflowFailedError } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import type { ScanSummary } from '../../workflows/contract.ts';
import { UPDATE } from '../../workflows/contract.ts';
import type { Harness } from './harness.ts';
import {
  bundleWorkflows,
  committed,
  createHarness,
  expectEachOnce,
  files,
  gate,
  good,
  progressOf,
  quietRuntime,
  until,
} from './harness.ts';

let env: TestWorkflowEnvironment;
let harness: Harness;

beforeAll(async () => {
  const path = process.env.TEMPORAL_TEST_SERVER;
  if (!path) throw new Error('TEMPORAL_TEST_SERVER is not set: run the tests through `make test`');
  quietRuntime();
  env = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path } },
  });
  harness = createHarness(env, await bundleWorkflows());
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
    const listed = files(120, 110);
    const { summary, memory } = await harness.finished(
      { files: listed, historyLimit: 60 },
      { parallelFiles: 5 },
    );
    expect(summary.listed).toBe(120);
    expect(memory.pods).toHaveLength(110);
    expectEachOnce(memory, listed);
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
});
