/** A new version of the workers is rolled out while a scan is under way. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ScanSummary, UPDATE } from '../../workflows/contract.ts';
import { until } from '../contract/until.ts';
import { type OwnTemporal, ownTemporal } from '../faults/own-temporal.ts';
import { faultyProfile, withProfiles } from '../faults/profiles.ts';
import { inEngine, openScene, type Scene, sha256Of } from '../faults/scene.ts';
import { expectAccounted, expectNothingLeft } from './oracle.ts';
import type { WorkerProcess } from './worker-process.ts';

const run = promisify(execFile);
const NAME = 'pristine-test';

let temporal: OwnTemporal;
let scene: Scene;
beforeAll(async () => {
  // By itself the server looks only every few minutes whether anything is left on a version.
  temporal = await ownTemporal([
    ...['--dynamic-config-value', 'matching.wv.VersionDrainageStatusVisibilityGracePeriod=5'],
    ...['--dynamic-config-value', 'matching.wv.VersionDrainageStatusRefreshInterval=1'],
  ]);
  await temporal.start();
  scene = await openScene(temporal.address);
}, 180_000);
afterAll(async () => {
  await scene?.close();
  await temporal?.close();
}, 180_000);

/** What docs/operations.md tells an operator to type. */
const deployment = (...words: string[]) =>
  run('temporal', ['worker', 'deployment', ...words, '--address', temporal.address]);

/** Its workers register when they begin to poll: until then it is refused. */
const makeCurrent = (build: string) =>
  until(() =>
    deployment('set-current-version', ...['--deployment-name', NAME, '--build-id', build, '--yes']).then(
      () => true,
      () => false,
    ),
  );

/**
 * `pristine make-current` as the chart's Job runs it, and waiting as long. Rejects with what it said. Resolves with its
 * first line: on a busy machine Temporal may not say in time, or ever, that every queue knows.
 */
const pristine = async (of: WorkerProcess, build: string, wait = 240) => {
  const env = {
    ...process.env,
    TEMPORAL_ADDRESS: temporal.address,
    PRISTINE_TASK_QUEUE: of.taskQueue,
    PRISTINE_DEPLOYMENT_NAME: NAME,
    PRISTINE_BUILD_ID: build,
  };
  const main = join(import.meta.dirname, '../../cli/main.ts');
  const { stdout } = await run(process.execPath, [main, 'make-current', '--wait', String(wait)], { env });
  return stdout.split('\n', 1)[0];
};

/** Not the bundle that scenes share: a versioned worker's says how each workflow goes along. */
const version = (build: string) => ({
  PRISTINE_DEPLOYMENT_NAME: NAME,
  PRISTINE_BUILD_ID: build,
  TEST_WORKFLOW_BUNDLE: '',
});

/** The builds that completed the workflow tasks of a run, in their order, each once in a row. */
async function buildsOf(workflowId: string, runId?: string): Promise<string[]> {
  const { events } = await scene.client.workflow.getHandle(workflowId, runId).fetchHistory();
  const builds = (events ?? []).flatMap(
    ({ workflowTaskCompletedEventAttributes: task }) => task?.deploymentVersion?.buildId ?? [],
  );
  return builds.filter((build, i) => build !== builds[i - 1]);
}

test('files in work end on the version that began them, the scan moves over, new files run on the new one', async () => {
  const profiles = withProfiles({ faulty: faultyProfile({ runDeadlineSeconds: 60 }) });
  const one = await scene.worker({ ...version('one'), ...profiles });
  await makeCurrent('one');
  // There already, and without work until it is the current one: a worker takes its time to start.
  const two = await scene.worker({ ...version('two'), ...profiles }, { beside: one });
  const place = scene.inFolders(one);
  const text = (mode: string, n: number) => `${mode}\n${one.instance} ${n}\n`;
  const [hanging, slow] = [text('hang', 0), text('slow 20', 1)];
  const later = [2, 3, 4, 5].map((n) => text('rebuild', n));
  for (const [n, content] of [hanging, slow, ...later].entries()) await place.put(`file-${n}`, content);

  const scan = await scene.start(one, place, { parallelFiles: 2, retries: 1 });
  await until(async () => (await scene.podsOf(one)).filter(inEngine).length === 2);
  // Held meanwhile, so that what is new begins after the switch however long that takes.
  await scan.executeUpdate(UPDATE.pause);
  expect(await pristine(one, 'two')).toBe(`Version two of ${NAME} is current; before it one.`);
  await until(async () => {
    await scan.executeUpdate(UPDATE.setParallelFiles, { args: [2] });
    return (await buildsOf(scan.workflowId)).includes('two');
  });
  await scan.executeUpdate(UPDATE.resume);
  const summary: ScanSummary = await scan.result();

  // The books balance, with one quarantined of its own will.
  expect(summary.outcomes).toMatchObject({ rebuilt: 5, quarantined: 1 });
  const { source, destination } = await place.see();
  expectAccounted(source, destination, scan.workflowId, summary);
  await expectNothingLeft(one);

  expect(await buildsOf(scan.workflowId)).toEqual(['one', 'two']);
  await until(async () => (await scene.childrenOf(one)).length === 7);
  const children = await scene.childrenOf(one);
  const runsOf = (content: string) =>
    children
      .filter(({ workflowId }) => workflowId.includes(sha256Of(content)))
      .sort((a, b) => a.startTime.getTime() - b.startTime.getTime());
  const builds = (content: string) =>
    Promise.all(runsOf(content).map(({ workflowId, runId }) => buildsOf(workflowId, runId)));
  expect(await builds(slow)).toEqual([['one']]);
  for (const content of later) expect(await builds(content)).toEqual([['two']]);
  // Each counted attempt is a run, and begins on the version that is current then.
  expect(await builds(hanging)).toEqual([['one'], ['two']]);

  // Steps go where their workflow is.
  const committed = (by: typeof one) =>
    by
      .events('result.committed')
      .map(({ sha256 }) => sha256)
      .sort();
  expect(committed(one)).toEqual([sha256Of(slow)]);
  expect(committed(two)).toEqual(later.map(sha256Of).sort());

  const described = async () => {
    const words = ['describe-version', '--deployment-name', NAME, '--build-id', 'one', '--output', 'json'];
    return JSON.stringify(JSON.parse((await deployment(...words)).stdout));
  };
  await until(async () => /"drained"/i.test(await described()));

  // Again, of a version that nobody runs or one that lacks a role, and back.
  expect(await pristine(one, 'two')).toBe(`Version two of ${NAME} is current already.`);
  const queues = [one.taskQueue, `${one.taskQueue}-files`, `${one.taskQueue}-pods`];
  await expect(pristine(one, 'three', 2)).rejects.toThrow(
    `Version three of ${NAME} was not made current after 2 s: none of its workers polls ${queues.join(', ')}.`,
  );
  const three = { ...version('three'), ...profiles, PRISTINE_ROLES: 'files,pods' };
  await scene.worker(three, { beside: one });
  await expect(pristine(one, 'three', 2)).rejects.toThrow(`polls ${one.taskQueue}.`);
  expect(await pristine(one, 'one')).toBe(`Version one of ${NAME} is current; before it two.`);
}, 900_000);

test('without a deployment a worker is unversioned, as before', async () => {
  const worker = await scene.worker({ TEST_WORKFLOW_BUNDLE: '' });
  const place = scene.inFolders(worker);
  await place.put('file', `rebuild\n${worker.instance}\n`);
  const scan = await scene.start(worker, place);
  expect((await scene.expectSound(worker, place, scan)).outcomes.rebuilt).toBe(1);
  expect(await buildsOf(scan.workflowId)).toEqual([]);
}, 180_000);
