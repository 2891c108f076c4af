/** An API server that is away, overloaded, slow, or silent about what it did. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { loadKubeConfig } from '../../drivers/kubernetes/load-kube-config.ts';
import { NAMESPACE } from '../contract/cluster-pods.ts';
import { stackVariable } from '../contract/stack.ts';
import { until } from '../contract/until.ts';
import { apiHttpProxy } from '../integration/kubernetes-proxy.ts';
import type { WorkerProcess } from '../integration/worker-process.ts';
import { type Bay, openBay } from './drivers.ts';
import type { HttpFaultProxy, ProxiedRequest } from './http-fault-proxy.ts';
import { inEngine, openScene, type Scene } from './scene.ts';
import { stackPart } from './stack-parts.ts';

let scene: Scene;
let bay: Bay;
/** One for all tests; the proxy is in front of its API server alone. */
let worker: WorkerProcess;
let proxy: HttpFaultProxy;

beforeAll(async () => {
  scene = await openScene();
  bay = await openBay();
  const through = await apiHttpProxy(loadKubeConfig(stackVariable('PRISTINE_WORKER_KUBECONFIG')));
  proxy = through.proxy;
  const file = join(stackFolder(), `kubeconfig-${process.pid}.json`);
  writeFileSync(file, through.file);
  worker = await scene.worker({ KUBECONFIG: file });
}, 600_000);
afterAll(async () => {
  proxy?.meet();
  await scene?.close();
  await bay?.close();
  await proxy?.close();
}, 600_000);

const stackFolder = () => join(import.meta.dirname, '../../.pristine/test');
const ofPods = ({ path }: ProxiedRequest) => path.includes('/pods');
const isCreate = (request: ProxiedRequest) => request.method === 'POST' && request.path.endsWith('/pods');
const isList = (request: ProxiedRequest) =>
  request.method === 'GET' && request.path.endsWith('/pods') && request.query.get('watch') !== 'true';

/** A scan of so many files of its own; with what each tells the engine. */
async function begin(files: number, tells: string) {
  const place = scene.inFolders(worker);
  const run = Date.now();
  for (let n = 0; n < files; n++) await place.put(`file-${n}`, `${tells}\n${worker.instance} ${run} ${n}\n`);
  return { place, scan: await scene.start(worker, place) };
}

test('F15 the API server is killed and away for a minute while pods end: one pod each, no end lost', async () => {
  const server = stackPart('kube-apiserver');
  const { place, scan } = await begin(3, 'slow 5');
  await until(async () => (await scene.podsOf(worker)).filter(inEngine).length === 3);
  try {
    await server.kill();
    await sleep(60_000);
  } finally {
    await server.restore();
  }
  expect((await scene.expectSound(worker, place, scan)).outcomes.rebuilt).toBe(3);
}, 600_000);

test('F15 an API server that is away while a pod ends: the wait goes on and has its end', async () => {
  const { proxy: weather, pods } = await bay.behindWeather();
  const ref = await pods.create(bay.request('rebuild'));
  const outcome = pods.await(ref);
  weather.turn('away');
  expect((await bay.pods.await(ref)).kind).toBe('uploaded');
  weather.turn('fair');
  expect(await outcome).toMatchObject({ kind: 'uploaded', exitCodes: { fetch: 0, engine: 0, upload: 0 } });
});

test('F15 429, 500 and 503, four requests of every ten: one pod each, all rebuilt', async () => {
  const errors = [429, 500, 503];
  let asked = 0;
  let refused = 0;
  proxy.meet((request) => {
    // In a row: every second one would always hit one of the three logs that are read at once.
    if (!ofPods(request) || asked++ % 10 >= 4) return undefined;
    const status = errors[refused++ % errors.length] ?? 500;
    return { status, headers: status === 429 ? { 'retry-after': '1' } : {}, body: '{}' };
  });
  try {
    const { place, scan } = await begin(4, 'rebuild');
    expect((await scene.expectSound(worker, place, scan)).outcomes.rebuilt).toBe(4);
    expect(refused).toBeGreaterThan(8);
  } finally {
    proxy.meet();
  }
}, 600_000);

test('F15 lists that take six seconds: one pod each, all rebuilt', async () => {
  let slow = 0;
  // A watch that ends at once makes a list of each of its beginnings.
  let watches = 0;
  proxy.meet((request) => {
    if (isList(request)) {
      slow++;
      return { delayMs: 6_000 };
    }
    return request.query.get('watch') === 'true' && ++watches % 2 === 1
      ? { status: 410, body: '{}' }
      : undefined;
  });
  try {
    // A watch that stands already would need no list for half a minute.
    await worker.restart();
    const { place, scan } = await begin(2, 'rebuild');
    expect((await scene.expectSound(worker, place, scan)).outcomes.rebuilt).toBe(2);
    expect(slow).toBeGreaterThan(0);
  } finally {
    proxy.meet();
  }
}, 600_000);

test('F17 creations that happen and are not answered: the pod is adopted, in a scan', async () => {
  let lost = 0;
  proxy.meet((request) => (isCreate(request) && lost++ < 3 ? 'lose-answer' : undefined));
  try {
    const before = worker.events('pod.adopted').length;
    const { place, scan } = await begin(3, 'rebuild');
    expect((await scene.expectSound(worker, place, scan)).outcomes.rebuilt).toBe(3);
    expect(lost).toBeGreaterThan(3);
    expect(worker.events('pod.adopted').length - before).toBe(3);
  } finally {
    proxy.meet();
  }
}, 600_000);

test('F17 a creation that times out and happens: the next try adopts by UID', async () => {
  const { proxy: weather, pods } = await bay.behindWeather();
  await pods.check();
  weather.turn('no-answers');
  const request = bay.request('hang');
  await expect(pods.create(request)).rejects.toMatchObject({
    code: 'kubernetes.unavailable',
    retryable: true,
  });
  weather.turn('fair');
  const made = (await bay.pods.list()).filter(({ name }) => name === request.name);
  expect(made).toHaveLength(1);
  expect(await pods.create(request)).toMatchObject({ uid: made[0]?.uid, adopted: true });
});

test('F17 answers stop coming on every kept connection: one try is lost, not one for each', async () => {
  const { proxy: weather, pods } = await bay.behindWeather();
  await Promise.all(Array.from({ length: 8 }, () => pods.check()));
  weather.turn('no-answers');
  await expect(pods.check()).rejects.toMatchObject({ code: 'kubernetes.unavailable', retryable: true });
  await pods.check();
});

test('F17 409 from an attempt that is still terminating: refused until it is fully gone, then a new pod', async () => {
  const request = bay.request('hang');
  const old = await bay.pods.create(request);
  await until(async () =>
    inEngine(await bay.admin.readNamespacedPod({ namespace: NAMESPACE, name: old.name })),
  );
  // The engine does not hear SIGTERM: it has its grace to the end.
  await bay.admin.deleteNamespacedPod({ namespace: NAMESPACE, name: old.name, gracePeriodSeconds: 5 });
  let refusals = 0;
  const fresh = await retried(async () => {
    try {
      return await bay.pods.create(request);
    } catch (error) {
      expect(error).toMatchObject({ code: 'kubernetes.conflict', retryable: true });
      // As long as it is refused, the old one is there.
      refusals++;
      throw error;
    }
  });
  expect(refusals).toBeGreaterThan(3);
  expect(fresh).toMatchObject({ name: old.name, adopted: false });
  expect(fresh.uid).not.toBe(old.uid);
  expect((await bay.pods.list()).map(({ uid }) => uid)).not.toContain(old.uid);
});

async function retried<T>(act: () => Promise<T>): Promise<T> {
  for (let round = 0; ; round++) {
    try {
      return await act();
    } catch (error) {
      if (round === 60) throw error;
      await sleep(500);
    }
  }
}
