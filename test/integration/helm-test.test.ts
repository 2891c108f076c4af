/**
 * A release with versions and encrypted payloads on the real cluster. `helm test`: what it says of what is enforced there,
 * and that a file goes all the way. Its Job makes the version current; its codec server decrypts for who may see it.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { builtImage } from '../contract/stack.ts';
import { type OwnTemporal, ownTemporal } from '../faults/own-temporal.ts';
import { type ChartRelease, chartRelease } from './chart-release.ts';
import { askToDecode, type CodecSecrets, codecSecrets } from './codec-in-cluster.ts';
import { runTool } from './kubectl.ts';

let temporal: OwnTemporal;
let connection: Connection;
let release: ChartRelease;
let codec: CodecSecrets;
beforeEach(async () => {
  // Temporal keeps a deployment as long as its workers were there: the shared server would fill up with them.
  temporal = await ownTemporal();
  await temporal.start();
  connection = await Connection.connect({ address: temporal.address });
  release = await chartRelease(temporal.address);
  codec = await codecSecrets(release.name);
}, 240_000);
afterEach(async () => {
  await release?.close();
  await connection?.close();
  await temporal?.close();
}, 300_000);

/** Values of a release of this version. */
function version(buildId: string, previous: string[] = []) {
  const [, tag] = builtImage('worker').split(':');
  const kept = previous.map((earlier) => ({ buildId: earlier, image: { tag } }));
  const makeCurrent = { enabled: true, waitSeconds: 240 };
  return { workers: { versioning: { enabled: true, buildId, previous: kept, makeCurrent } } };
}

async function currentVersion() {
  const { workerDeploymentInfo } = await connection.workflowService.describeWorkerDeployment({
    namespace: 'default',
    deploymentName: `${release.name}-pristine`,
  });
  return workerDeploymentInfo?.routingConfig?.currentDeploymentVersion?.buildId;
}

const helmTest = () =>
  runTool('helm', ['test', release.name, '--namespace', release.name, '--logs', '--timeout', '10m']);

/** The input of the one scan, as Temporal keeps it. */
async function sealedInput() {
  const { workflow } = new Client({ connection });
  const [scan] = await Array.fromAsync(workflow.list({ query: 'WorkflowType="scan"' }));
  const { events } = await workflow.getHandle(scan?.workflowId ?? '').fetchHistory();
  const [payload] = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
  if (!payload) throw new Error('the scan has no input');
  return payload;
}

test('the doctor finds its cluster as it is, a scan rebuilds its file; versions and codec server do what they are for', async () => {
  const tests = { source: 'file:///srv/files/in', destination: 'file:///srv/files/clean' };
  mkdirSync(join(release.folder, 'in'));
  writeFileSync(join(release.folder, 'in/one'), `rebuild\n${release.name}\n`);
  await release.install({ ...codec.values, ...version('one'), tests });
  expect(await currentVersion()).toBe('one');

  const { code, stdout, stderr } = await helmTest();
  if (code !== 0) throw new Error(`${stdout}\n${stderr}`);
  for (const subject of [
    'rights needed',
    'rights denied',
    'profile default',
    'Pod Security',
    'shape of pods',
    'pod of profile default',
    'destination file:///srv/files/clean',
  ])
    expect(stdout).toContain(`ok    ${subject}: `);
  // There is no network plugin here that enforces policies.
  expect(stdout).toContain('WARN  NetworkPolicy: NOT ENFORCED: ');
  expect(stdout).not.toContain('FAIL  ');
  expect(stdout).toContain('1 listed: 1 rebuilt.');

  const input = await sealedInput();
  expect(Buffer.from(input.data ?? []).toString()).not.toContain('/srv/files');
  const asker = `${release.name}-pristine-orchestrate-one`;
  const decoded = await askToDecode(asker, release.name, codec, input);
  expect(decoded).toMatchObject({ status: 200, text: expect.stringContaining(tests.source) });
  const other = { ...codec, token: `${codec.token}x` };
  const refused = await askToDecode(asker, release.name, other, input);
  expect(refused).toEqual({ status: 401, text: 'another token\n' });

  await release.upgrade({
    ...codec.values,
    ...version('two', ['one']),
    tests: { ...tests, source: '', strict: true },
  });
  expect(await currentVersion()).toBe('two');
  const strict = await helmTest();
  expect(strict.code).not.toBe(0);
  expect(strict.stderr).toContain('doctor failed');

  await release.rollback(1);
  expect(await currentVersion()).toBe('one');
}, 900_000);
