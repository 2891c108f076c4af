/** Scanners that meet in the same files, many of them, on pods that cost nothing. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';
import type { ScanSummary } from '../../workflows/contract.ts';
import { stackVariable } from '../contract/stack.ts';
import { expectAccounted, expectNothingLeft, filesBelow } from '../integration/oracle.ts';
import { type KwokPods, startKwokPods } from './kwok-pods.ts';
import { folders } from './places.ts';
import { openScene, type Scene } from './scene.ts';

/** PRISTINE_FILES makes it another number, to try things out. */
const FILES = Number(process.env.PRISTINE_FILES || (process.env.PRISTINE_SOAK === '1' ? 1_000 : 300));
/** Every fifth file has the bytes of the one before it. */
const contentOf = (file: number) => (file % 5 === 4 ? file - 1 : file);

const kubeConfig = new KubeConfig();
let scene: Scene;
let kwok: KwokPods;

beforeAll(async () => {
  kubeConfig.loadFromFile(stackVariable('KUBECONFIG'));
  [scene, kwok] = await Promise.all([openScene(), startKwokPods(kubeConfig)]);
}, 600_000);
afterAll(async () => {
  await scene?.close();
  await kwok?.close();
}, 600_000);

test(
  `F6 two scanners race over the same ${FILES} files: one engine run a content, every path delivered by both`,
  async () => {
    const first = await scene.worker(kwok.env);
    const second = await scene.worker(kwok.env, { beside: first });
    const player = kwok.play(first.instance);
    const place = scene.inFolders(first);
    for (let file = 0; file < FILES; file++) {
      await place.put(`${file % 7}/${file}`, `rebuild\n${first.instance} ${contentOf(file)}\n`);
    }
    const { source, destination } = await place.see();
    const other = folders(`${destination}-of-the-other`);
    const input = { parallelFiles: 25 };
    const scans = await Promise.all([
      scene.start(first, place, input),
      scene.start(second, { ...place, destination: other.destination }, input),
    ]);
    const summaries: ScanSummary[] = await Promise.all(scans.map((scan) => scan.result()));

    const contents = new Set(Array.from({ length: FILES }, (_, file) => contentOf(file))).size;
    const successes = player.runs.filter(({ success }) => success);
    expect({
      runs: player.runs.length,
      contents: new Set(successes.map(({ sha256 }) => sha256)).size,
    }).toEqual({
      runs: contents,
      contents,
    });
    const places = [destination, new URL(other.destination).pathname];
    for (const [at, summary] of summaries.entries()) {
      const to = places[at] ?? '';
      expectAccounted(source, to, scans[at]?.workflowId ?? '', summary);
      expect(filesBelow(`${to}/tree`)).toEqual(filesBelow(source));
      expect(summary.outcomes.rebuilt + summary.outcomes.delivered).toBe(FILES);
    }
    await expectNothingLeft(first);
  },
  300_000 + FILES * 6_000,
);
