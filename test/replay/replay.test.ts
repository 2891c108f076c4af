/** Histories that earlier versions of the workflows have left: today's code must go the same way through them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from '@jest/globals';
import proto from '@temporalio/proto';
import type { WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { bundleWorkflows, quietRuntime } from '../workflow/harness.ts';

const { History } = proto.temporal.api.history.v1;
type SavedHistory = ReturnType<typeof History.decode>;

const folder = join(import.meta.dirname, 'histories');
const saved = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.pb.gz'))
  .sort();
const read = (file: string): SavedHistory => History.decode(gunzipSync(readFileSync(join(folder, file))));

let workflowBundle: WorkflowBundleWithSourceMap;
beforeAll(async () => {
  quietRuntime();
  workflowBundle = await bundleWorkflows();
}, 120_000);
const replay = (history: SavedHistory) => Worker.runReplayHistory({ workflowBundle }, history);

/** Every shape that a workflow can have; a new way to go wants a new history. */
const SHAPES = [
  'file-cancelled',
  'file-changed',
  'file-disrupted',
  'file-no-room',
  'file-paused-for-a-person',
  'file-quarantined',
  'file-rebuilt',
  'file-refused',
  'file-refused-pod',
  'file-too-small',
  'retry-quarantined',
  'scan-attached',
  'scan-cancelled',
  'scan-changed',
  'scan-circuit-broken',
  'scan-continued',
  'scan-empty',
  'scan-forced',
  'scan-known',
  'scan-missing',
  'scan-no-room',
  'scan-no-source',
  'scan-paused-for-a-person',
  'scan-quarantined',
  'scan-rebuilt',
  'scan-steered',
  'scan-watching',
  'scan-wrong-input',
];

const releases = readdirSync(folder);

test.each(releases)('%s has a history of every shape', (release) => {
  const names = saved
    .filter((file) => file.startsWith(`${release}/`))
    .map((file) => file.slice(release.length + 1).replace(/(\.run-\d+)?\.pb\.gz$/, ''));
  expect([...new Set(names)].sort()).toEqual(SHAPES);
});

describe('replays', () => {
  test.each(saved)('%s', async (file) => {
    await replay(read(file));
  });
});

describe('a change of the way is noticed', () => {
  /** The history as if its first activity or child of that name had been another. */
  const replayChanged = (file: string, name: string) => {
    const history = read(file);
    const types = history.events.map(
      (event) =>
        event.activityTaskScheduledEventAttributes?.activityType ??
        event.startChildWorkflowExecutionInitiatedEventAttributes?.workflowType,
    );
    const type = types.find((one) => one?.name === name);
    if (!type) throw new Error(`no ${name} in ${file}`);
    type.name = 'somethingElse';
    return replay(history);
  };
  const of = (name: string) => saved.find((file) => file.endsWith(`/${name}.pb.gz`)) ?? '';

  test.each([
    ['file-rebuilt', 'createPod'],
    ['file-rebuilt', 'collectResult'],
    ['scan-rebuilt', 'settleFiles'],
    ['scan-rebuilt', 'rebuildFile'],
  ])('%s with another step in the place of %s', async (name, step) => {
    await expect(replayChanged(of(name), step)).rejects.toThrow(DeterminismViolationError);
  });
});
