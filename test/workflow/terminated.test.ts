/** On the real Temporal: the time-skipping server does not tell a parent that its child was terminated. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import type { ScanSummary } from '../../workflows/contract.ts';
import { fileWorkflowId } from '../../workflows/contract.ts';
import { expectEachOnce } from './each-once.ts';
import type { Harness } from './harness.ts';
import {
  bundleWorkflows,
  committed,
  createHarness,
  files,
  gate,
  progressOf,
  quietRuntime,
  until,
} from './harness.ts';

let env: TestWorkflowEnvironment;
let harness: Harness;

beforeAll(async () => {
  const address = process.env.TEMPORAL_ADDRESS;
  if (!address) throw new Error('TEMPORAL_ADDRESS is not set: run the tests through `make test`');
  quietRuntime();
  env = await TestWorkflowEnvironment.createFromExistingServer({ address });
  harness = createHarness(env, await bundleWorkflows());
}, 120_000);
afterAll(async () => {
  await env?.teardown();
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
