/**
 * Pods that are deleted, evicted, preempted or lost with their node: free attempts, one result. What harms no other
 * pod goes on at once, each with a worker of its own.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { leftoversOfContents } from '../../cli/sweep-content.ts';
import { FsDestination } from '../../drivers/destination/fs.ts';
import { parseFileUrl } from '../../drivers/file-system/file-url.ts';
import { PATIENCE } from '../../drivers/kubernetes/pod-trouble.ts';
import type { Destination, FilePodRequest } from '../../drivers/ports.ts';
import { UPLOAD_ENV } from '../../pod/protocol.ts';
import { NAMESPACE } from '../contract/cluster-pods.ts';
import { until } from '../contract/until.ts';
import { readManifest } from '../integration/oracle.ts';
import type { WorkerProcess } from '../integration/worker-process.ts';
import { type Bay, inPhase, openBay } from './drivers.ts';
import { kubectl, onlyPlace, PLACE, PLACE_CLASS } from './node-faults.ts';
import type { Places } from './places.ts';
import { inEngine, openScene, type Scene, sha256Of } from './scene.ts';
import { stackPart } from './stack-parts.ts';

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

const nameOf = (pod: V1Pod | undefined) => pod?.metadata?.name ?? '';
const attemptOf = (pod: V1Pod) => Number(pod.metadata?.annotations?.['pristine.dev/attempt']);

/** A scan of one file; no counted attempt but the first, so that each further one was free. */
async function begin(tells: string) {
  const worker = await scene.worker();
  const place = scene.inFolders(worker);
  const text = `${tells}\n${worker.instance}\n`;
  await place.put('one', text);
  const scan = await scene.start(worker, place, { retries: 0 });
  /** Resolves with the first pod that is so. */
  const podOnce = async (met: (pod: V1Pod) => boolean): Promise<V1Pod> => {
    let found: V1Pod | undefined;
    await until(async () => {
      found = (await scene.podsOf(worker)).find(met);
      return found !== undefined;
    });
    if (found === undefined) throw new Error('no pod');
    return found;
  };
  return { worker, place, sha256: sha256Of(text), scan, podOnce };
}

async function attemptsOf(place: Places, scan: string): Promise<number> {
  return readManifest((await place.see()).destination, scan)[0]?.attempts ?? 0;
}

test.concurrent('F18 pods deleted by hand, three while pending and one while it runs: free attempts, one result', async () => {
  const { worker, place, sha256, scan, podOnce } = await begin('slow 3');
  for (const attempt of [1, 2, 3]) {
    const pod = await podOnce((one) => attemptOf(one) === attempt);
    expect(pod.status?.phase).toBe('Pending');
    await scene.deletePod(nameOf(pod));
  }
  await scene.deletePod(nameOf(await podOnce((one) => attemptOf(one) === 4 && inEngine(one))));
  const { outcomes } = await scene.expectSound(worker, place, scan, { [sha256]: 5 });
  expect(outcomes.rebuilt).toBe(1);
  expect(await attemptsOf(place, scan.workflowId)).toBe(5);
}, 600_000);

test.concurrent('F18 a pod deleted by hand right after its success: one result, and no more than one free attempt', async () => {
  const { worker, place, sha256, scan, podOnce } = await begin('rebuild');
  const uploaded = ({ status }: V1Pod) =>
    (status?.containerStatuses ?? []).some(({ state }) => state?.terminated?.exitCode === 0);
  await scene.deletePod(nameOf(await podOnce(uploaded))).catch(() => undefined);
  await scan.result();
  const attempts = await attemptsOf(place, scan.workflowId);
  expect(attempts).toBeLessThanOrEqual(2);
  const { outcomes } = await scene.expectSound(worker, place, scan, { [sha256]: attempts });
  expect(outcomes.rebuilt).toBe(1);
}, 600_000);

test('F19 the kubelet is killed and its pod deleted by force: the replacement runs once it is back; a late upload of the lost one touches its own slot alone', async () => {
  const node = stackPart('kubelet');
  const { worker, place, sha256, scan, podOnce } = await begin('slow 4');
  const lost = await podOnce(inEngine);
  try {
    await node.kill();
    await scene.deletePod(nameOf(lost));
    await podOnce((pod) => attemptOf(pod) === 2);
  } finally {
    await node.restore();
  }
  const { outcomes } = await scene.expectSound(worker, place, scan, { [sha256]: 2 });
  expect(outcomes.rebuilt).toBe(1);

  // Its uploader, had it lived on somewhere, would do this.
  const link = lost.spec?.containers[0]?.env?.find(({ name }) => name === UPLOAD_ENV.rebuilt)?.value ?? '';
  const late = await fetch(link, { method: 'PUT', body: 'late', headers: { 'if-none-match': '*' } });
  expect(late.ok).toBe(true);
  const again = await scene.start(worker, place);
  await scene.expectSound(worker, place, again, { [sha256]: 2 });

  const destination = destinationOf(worker, place);
  const slot = `/${lost.metadata?.annotations?.['pristine.dev/slot']}/`;
  const swept = [];
  for await (const found of leftoversOfContents(destination, new Date())) {
    swept.push(found);
    if (found.kind !== 'slot') continue;
    for await (const { key } of destination.list(found.prefix)) await destination.remove(key);
  }
  expect(swept).toEqual([{ kind: 'slot', prefix: expect.stringContaining(slot) }]);
  // Now also without a rebuilt file that no receipt names.
  await scene.expectSound(worker, place, await scene.start(worker, place), { [sha256]: 2 });
}, 600_000);

function destinationOf(worker: WorkerProcess, { destination }: Places): Destination {
  const unsigned = { sign: () => '' };
  return new FsDestination(parseFileUrl(destination, 'destination', [worker.folder]), unsigned);
}

test.concurrent('F20 evicted through the API: a free attempt', async () => {
  const { worker, place, sha256, scan, podOnce } = await begin('slow 3');
  const name = nameOf(await podOnce(inEngine));
  await bay.admin.createNamespacedPodEviction({
    name,
    namespace: NAMESPACE,
    body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } },
  });
  const { outcomes } = await scene.expectSound(worker, place, scan, { [sha256]: 2 });
  expect(outcomes.rebuilt).toBe(1);
  expect(worker.events('pod.ended').find(({ pod }) => pod === name)).toMatchObject({
    kind: 'failed',
    class: 'disruption',
  });
}, 600_000);

test('F20 a node that is drained: disruption; the replacement runs when there is a node again', async () => {
  const { worker, place, sha256, scan, podOnce } = await begin('slow 3');
  const name = nameOf(await podOnce(inEngine));
  try {
    await kubectl(
      ...['drain', 'pristine', `--pod-selector=pristine.dev/instance=${worker.instance}`],
      ...['--force', '--ignore-daemonsets', '--delete-emptydir-data', '--grace-period=1', '--timeout=60s'],
    );
    const next = await podOnce((pod) => attemptOf(pod) === 2);
    await sleep(3_000);
    expect(next.spec?.nodeName).toBeUndefined();
  } finally {
    await kubectl('uncordon', 'pristine');
  }
  const { outcomes } = await scene.expectSound(worker, place, scan, { [sha256]: 2 });
  expect(outcomes.rebuilt).toBe(1);
  expect(worker.events('pod.ended').find(({ pod }) => pod === name)).toMatchObject({ class: 'disruption' });
}, 600_000);

test.concurrent('F20 preempted by a pod of higher priority: disruption, not the engine’s failure', async () => {
  const withPlace = (request: FilePodRequest, priorityClassName?: string): V1Pod => {
    const pod = bay.manifest(request);
    const engine = pod.spec?.initContainers?.find((container) => container.name === 'engine');
    if (!pod.spec || !engine) throw new Error('no pod');
    const { requests, limits } = engine.resources ?? {};
    engine.resources = { requests: { ...requests, [PLACE]: '1' }, limits: { ...limits, [PLACE]: '1' } };
    if (priorityClassName !== undefined) pod.spec.priorityClassName = priorityClassName;
    return pod;
  };
  const takeAway = await onlyPlace();
  try {
    const { pods } = bay.driver({ manifest: withPlace, waits: { patience: PATIENCE } });
    const { outcome } = await inPhase(pods, await pods.create(bay.request('hang')), 'engine');
    const first = bay.driver({ manifest: (request) => withPlace(request, PLACE_CLASS) });
    const winner = await first.pods.create(bay.request('rebuild'));
    expect(await outcome).toMatchObject({
      kind: 'failed',
      class: 'disruption',
      reason: expect.stringContaining('preempting to accommodate a higher priority pod'),
    });
    expect((await first.pods.await(winner)).kind).toBe('uploaded');
  } finally {
    await takeAway();
  }
}, 180_000);
