/**
 * Engines that need too much, never end, or end in every other way than the right one. They mostly wait: so at once,
 * each with a worker of its own.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import type { FilePodRequest } from '../../drivers/ports.ts';
import type { ScanSummary } from '../../workflows/contract.ts';
import { stackVariable } from '../contract/stack.ts';
import { readManifest } from '../integration/oracle.ts';
import { type Bay, openBay } from './drivers.ts';
import type { Places } from './places.ts';
import { faultyProfile, withProfiles } from './profiles.ts';
import { openScene, type Scene } from './scene.ts';

let scene: Scene;
let bay: Bay;
beforeAll(async () => {
  scene = await openScene();
  bay = await openBay();
}, 600_000);
afterAll(async () => {
  await scene?.close();
  await bay?.close();
}, 600_000);

/** What was decided on each path: outcome, attempts, reason. */
async function decided(place: Places, scan: string) {
  const lines = readManifest((await place.see()).destination, scan);
  return Object.fromEntries(
    lines.map(({ path, outcome, attempts, reason }) => [path, { outcome, attempts, reason }]),
  );
}

test.concurrent('F21 an engine that is killed for memory: seen at once, next size up, then quarantine', async () => {
  // A deadline that this test would not live to see three times.
  const settings = { engine: { limit: { cpu: '1', memory: '96Mi' } }, maxTier: 1, runDeadlineSeconds: 600 };
  const worker = await scene.worker(withProfiles({ faulty: faultyProfile(settings) }));
  const place = scene.inFolders(worker);
  await place.put('one', `memory\n${worker.instance}\n`);
  const scan = await scene.start(worker, place, { retries: 2 });
  const { outcomes }: ScanSummary = await scan.result();
  await scene.expectSound(worker, place, scan);
  expect(outcomes.quarantined).toBe(1);
  expect(worker.events('pod.created').map(({ attempt, tier }) => [attempt, tier])).toEqual([
    [1, 0],
    [2, 1],
    [3, 1],
  ]);
  for (const ended of worker.events('pod.ended'))
    expect(ended).toMatchObject({ kind: 'failed', class: 'resource', exitCodes: { engine: 137 } });
  expect(await decided(place, scan.workflowId)).toEqual({
    one: { outcome: 'quarantined', attempts: 3, reason: expect.stringMatching(/more memory than its limit/) },
  });
}, 600_000);

test.concurrent('F21 an engine that is too large for the first size and fits the second is rebuilt', async () => {
  const eat = `const b=[];for(let n=0;n<12;n++)b.push(Buffer.alloc(10<<20,1));
    require('fs').writeFileSync('/pristine/out/rebuilt','with '+b.length)`;
  const grows = faultyProfile({
    engine: { limit: { cpu: '1', memory: '96Mi' } },
    command: ['/usr/local/bin/node', '-e', eat],
  });
  const worker = await scene.worker(withProfiles({ faulty: grows }));
  const place = scene.inFolders(worker);
  const text = `a file ${worker.instance}\n`;
  await place.put('one', text);
  const scan = await scene.start(worker, place, { retries: 1 });
  expect((await scan.result()).outcomes.rebuilt).toBe(1);
  expect(worker.events('pod.created').map(({ tier }) => tier)).toEqual([0, 1]);
  expect(worker.events('pod.ended').map(({ kind }) => kind)).toEqual(['failed', 'uploaded']);
}, 600_000);

/** The pod of a request, with a container that has far too little memory. */
function starved(name: 'fetch' | 'upload') {
  return (request: FilePodRequest): V1Pod => {
    const pod = bay.manifest(request);
    for (const container of [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])]) {
      if (container.name !== name) continue;
      const amounts = { cpu: '50m', memory: '8Mi', 'ephemeral-storage': '16Mi' };
      container.resources = { requests: amounts, limits: amounts };
    }
    return pod;
  };
}

test.each(['fetch', 'upload'] as const)(
  'F22 %s is killed for memory: a matter of transfer, and no object was begun',
  async (name) => {
    const begun: string[] = [];
    const store = createServer((request, response) => {
      begun.push(request.method ?? '');
      response.writeHead(201).end();
    });
    await new Promise<void>((resolve) => store.listen(0, stackVariable('PRISTINE_HOST_ADDRESS'), resolve));
    // A server that listens on a port has an AddressInfo.
    const { address, port } = store.address() as AddressInfo;
    const put = `http://${address}:${port}/put`;
    try {
      const { pods } = bay.driver({ manifest: starved(name) });
      const putUrls = { rebuilt: put, 'report.xml': put, 'report.json': put };
      const outcome = await pods.await(await pods.create(bay.request('rebuild', { putUrls })));
      expect(outcome).toMatchObject({
        kind: 'failed',
        class: 'transfer',
        reason: `${name} was killed: it needed more memory than its limit.`,
      });
      expect(begun).toEqual([]);
    } finally {
      store.close();
    }
  },
  120_000,
);

test.concurrent('F24 engines that hang, spin, ignore SIGTERM or fork: ended at the deadline, twice, then quarantined', async () => {
  const engine = { request: { cpu: '50m', memory: '64Mi' }, limit: { cpu: '300m', memory: '192Mi' } };
  const slow = faultyProfile({ engine, maxTier: 0, runDeadlineSeconds: 20 });
  const worker = await scene.worker(withProfiles({ faulty: slow }));
  const place = scene.inFolders(worker);
  for (const mode of ['hang', 'spin', 'forks']) await place.put(mode, `${mode}\n${worker.instance}\n`);
  const scan = await scene.start(worker, place, { retries: 1 });
  const { outcomes } = await scene.expectSound(worker, place, scan);
  expect(outcomes.quarantined).toBe(3);
  const late = { outcome: 'quarantined', attempts: 2, reason: expect.stringMatching(/deadline of 20 s/) };
  expect(await decided(place, scan.workflowId)).toEqual({
    hang: late,
    spin: late,
    // Its children may need too much memory before.
    forks: { ...late, reason: expect.stringMatching(/deadline of 20 s|killed/) },
  });
  expect(worker.events('pod.created')).toHaveLength(6);
}, 600_000);

/** What the engine does with its file, and what is then decided, at the first attempt. */
const VERDICTS: [string, 'rebuilt' | 'refused' | 'quarantined', RegExp?][] = [
  ['rebuild', 'rebuilt'],
  ['refuse', 'refused', /refused on purpose/],
  ['refuse-by-exit', 'refused', /refused on purpose/],
  ['exit 1', 'quarantined', /exit code 1\b/],
  ['exit 2', 'quarantined', /exit code 2\b/],
  ['exit 126', 'quarantined', /exit code 126\b/],
  ['exit 137', 'quarantined', /exit code 137 \(SIGKILL\)/],
  ['exit 139', 'quarantined', /exit code 139 \(SIGSEGV\)/],
  ['exit 143', 'quarantined', /exit code 143 \(SIGTERM\)/],
  ['exit 255', 'quarantined', /exit code 255/],
  ['crash', 'quarantined', /exit code 1\d\d \(SIG/],
  ['rebuild-and-exit 1', 'quarantined', /exit code 1\b/],
  ['exit 0', 'quarantined', /neither/],
  ['nothing', 'quarantined', /neither/],
  ['report-only', 'quarantined', /neither/],
  ['empty', 'quarantined', /empty|0 bytes/],
  ['both', 'quarantined', /both/],
  ['folder', 'quarantined'],
  ['link', 'quarantined'],
];

test.concurrent('F25 exit codes and outputs: a table of verdicts; 0 without a valid output is a crash', async () => {
  const worker = await scene.worker(withProfiles({ faulty: faultyProfile() }));
  const place = scene.inFolders(worker);
  for (const [mode] of VERDICTS) await place.put(mode, `${mode}\n${worker.instance}\n`);
  const scan = await scene.start(worker, place, { retries: 0, parallelFiles: 5, failureLimit: false });
  await scene.expectSound(worker, place, scan);
  expect(await decided(place, scan.workflowId)).toEqual(
    Object.fromEntries(
      VERDICTS.map(([mode, outcome, reason]) => [
        mode,
        {
          outcome,
          attempts: 1,
          reason: outcome === 'rebuilt' ? undefined : expect.stringMatching(reason ?? /\w{3}/),
        },
      ]),
    ),
  );
  const failed = worker.events('pod.ended').filter(({ kind }) => kind === 'failed');
  expect(failed.map(({ class: klass }) => klass)).toEqual(
    VERDICTS.filter(([, outcome]) => outcome === 'quarantined').map(() => 'crash'),
  );
}, 600_000);
