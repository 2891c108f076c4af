/** The pods of fault tests that run nothing: what they are told and seen to do is what real ones do. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';
import { stackVariable } from '../contract/stack.ts';
import { readManifest } from '../integration/oracle.ts';
import { type KwokPods, startKwokPods } from './kwok-pods.ts';
import { openScene, type Scene } from './scene.ts';

const kubeConfig = new KubeConfig();
let scene: Scene;
let pods: KwokPods;

beforeAll(async () => {
  kubeConfig.loadFromFile(stackVariable('KUBECONFIG'));
  [scene, pods] = await Promise.all([openScene(), startKwokPods(kubeConfig)]);
}, 600_000);
afterAll(async () => {
  await scene?.close();
  await pods?.close();
}, 600_000);

test('verdicts, crashes, transfers and logs on kwok pods are those of real ones', async () => {
  const worker = await scene.worker(pods.env);
  const player = pods.play(worker.instance);
  const place = scene.inFolders(worker);
  const modes = ['rebuild', 'refuse', 'refuse-by-exit', 'exit 1', 'nothing', 'crash', 'memory', 'slow 1'];
  for (const mode of modes) await place.put(mode, `${mode}\n${worker.instance}\n`);
  const scan = await scene.start(worker, place, { retries: 1 });
  await scan.result();
  await player.close();
  const { destination } = await place.see();
  const outcomes = readManifest(destination, scan.workflowId).map(({ path, outcome }) => [path, outcome]);
  expect(Object.fromEntries(outcomes)).toEqual({
    rebuild: 'rebuilt',
    refuse: 'refused',
    'refuse-by-exit': 'refused',
    'exit 1': 'quarantined',
    nothing: 'quarantined',
    crash: 'quarantined',
    memory: 'quarantined',
    'slow 1': 'rebuilt',
  });
  expect(player.runs.filter(({ success }) => success)).toHaveLength(4);
  expect(player.runs.filter(({ success }) => !success)).toHaveLength(2 * 4);
}, 180_000);
