/** The chart on the real cluster: workers, file server and Redis as pods, an upgrade in mid-scan, and what is left. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Client, Connection, QueryNotRegisteredError } from '@temporalio/client';
import type { Progress, ScanSummary } from '../../workflows/contract.ts';
import { QUERY } from '../../workflows/contract.ts';
import { stackVariable } from '../contract/stack.ts';
import { until } from '../contract/until.ts';
import { bucket, folders, type Places } from '../faults/places.ts';
import { type ChartRelease, chartRelease } from './chart-release.ts';
import { putDemoDocuments } from './demo-files.ts';
import { tool } from './kubectl.ts';
import { expectAccounted } from './oracle.ts';

let release: ChartRelease;
let store: Places;
let connection: Connection;
let client: Client;

beforeEach(async () => {
  connection = await Connection.connect({ address: stackVariable('TEMPORAL_ADDRESS') });
  client = new Client({ connection });
  store = await bucket();
  release = await chartRelease();
}, 180_000);
afterEach(async () => {
  await release?.close();
  await store?.close();
  await connection?.close();
}, 300_000);

type Where = Pick<Places, 'source' | 'destination' | 'put' | 'see'>;

/** Folders of the test, which the release's pods see below /srv/files. */
function sharedFolders(scan: string): Where {
  const here = folders(join(release.folder, scan));
  // One clean place for all scans: what one has rebuilt is the next one's, too.
  const clean = join(release.folder, 'clean');
  return {
    source: `file:///srv/files/${scan}/in`,
    destination: 'file:///srv/files/clean',
    put: here.put,
    see: async () => ({ ...(await here.see()), destination: clean }),
  };
}

async function put(where: Where, contents: readonly string[]): Promise<Where> {
  for (const [index, content] of contents.entries()) await where.put(`file-${index}`, content);
  return where;
}

/** A scan by the release's workers. */
async function begin(scan: string, { source, destination, see }: Where, profile = 'default') {
  const handle = await client.workflow.start('scan', {
    taskQueue: release.taskQueue,
    workflowId: `${release.name}-${scan}`,
    args: [{ source, destination, profile, parallelFiles: 3 }],
  });
  const end = async (): Promise<ScanSummary> => {
    const summary: ScanSummary = await handle.result();
    const seen = await see();
    expectAccounted(seen.source, seen.destination, handle.workflowId, summary);
    return summary;
  };
  return { handle, end };
}

const kubectl = (...args: string[]) => tool('kubectl', ['-n', release.name, ...args]);
const workers = ['-l', 'app.kubernetes.io/component in (orchestrate, files, pods)'];
const password = () =>
  kubectl('get', 'secret', `${release.name}-pristine-redis`, '-o', 'jsonpath={.data.password}');

function unlessUnknown(error: unknown): undefined {
  if (!(error instanceof QueryNotRegisteredError)) throw error;
}

test('installed, it rebuilds the files of the demo and a bucket; upgraded and its workers killed in mid-scan, nothing is lost; uninstalled, it leaves nothing', async () => {
  await release.install();
  const documents = sharedFolders('documents');
  await putDemoDocuments(documents.put);
  const first = await begin('first', documents, 'documents');
  const { outcomes } = await first.end();
  expect(outcomes.rebuilt).toBeGreaterThan(10);
  expect(outcomes.refused).toBeGreaterThan(2);
  expect(outcomes).toMatchObject({ quarantined: 0, unreadable: 0, changed: 0, gone: 0 });
  const before = await password();

  // Links that the store itself answers, straight to the file pods.
  await put(store, ['rebuild\nobject 1', 'refuse\nobject 2', 'rebuild\nobject 1']);
  const inBucket = await begin('bucket', store);
  expect((await inBucket.end()).outcomes).toMatchObject({ rebuilt: 1, delivered: 1, refused: 1 });

  const contents = Array.from({ length: 12 }, (_, index) => `slow 4\n${index}`);
  const slow = await put(sharedFolders('slow'), contents);
  const second = await begin('second', slow);
  // Before its first step a workflow knows no query yet.
  const inFlight = async () =>
    (await second.handle.query<Progress>(QUERY.progress).catch(unlessUnknown))?.inFlight ?? 0;
  await until(async () => (await inFlight()) >= 3);
  await kubectl('delete', 'pods', ...workers, '--grace-period=0', '--force', '--wait=false');
  await release.upgrade({ workers: { logLevel: 'debug' } });
  expect((await second.handle.describe()).status.name).toBe('RUNNING');
  expect((await second.end()).outcomes).toMatchObject({ rebuilt: 12, quarantined: 0, changed: 0, gone: 0 });
  // The chart's own secrets are made once.
  expect(await password()).toBe(before);

  // The index is still there: what was rebuilt needs no pod.
  await release.rollback(1);
  const third = await begin('third', slow);
  expect((await third.end()).outcomes).toMatchObject({ rebuilt: 0, delivered: 12 });

  // What looks for leftovers sees them while they are there.
  expect(await release.leftovers()).toEqual(
    expect.arrayContaining([
      `deployment.apps/${release.name}-pristine-files`,
      `persistentvolumeclaim/data-${release.name}-pristine-redis-0`,
      `namespace/${release.filesNamespace}`,
    ]),
  );
  await release.uninstall();
  // Helm waits for what it has made itself, not for the last pod of a Deployment to take its leave.
  await until(async () => (await release.leftovers()).length === 0).catch(() => {});
  expect(await release.leftovers()).toEqual([]);
}, 1_800_000);
