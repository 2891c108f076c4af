/** What others can do with a link of a pod's, or with a worker's token: nothing that counts. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { ANNOTATION } from '../../drivers/kubernetes/pod-labels.ts';
import { UPLOAD_ENV } from '../../pod/protocol.ts';
import { builtImage } from '../contract/stack.ts';
import { until } from '../contract/until.ts';
import { answer, type FilePodWorld, filePodWorld, profileOf } from '../integration/file-pod-world.ts';
import { filesBelow } from '../integration/oracle.ts';
import type { Places } from './places.ts';
import { inEngine, openScene, type Scene, sha256Of } from './scene.ts';

let scene: Scene;
let world: FilePodWorld;
const profile = { image: builtImage('engineFaulty'), args: ['from-file'] };
beforeAll(async () => {
  scene = await openScene();
  world = await filePodWorld({ profiles: { default: profile } });
}, 600_000);
afterAll(async () => {
  await scene?.close();
  await world?.close();
}, 600_000);

function putLinks(pod: V1Pod | undefined): string[] {
  const names: string[] = [UPLOAD_ENV.rebuilt, UPLOAD_ENV.reportXml, UPLOAD_ENV.reportJson];
  const env = pod?.spec?.containers[0]?.env ?? [];
  return env.flatMap(({ name, value }) => (names.includes(name) && value !== undefined ? [value] : []));
}
const slotOf = (pod: V1Pod | undefined) => pod?.metadata?.annotations?.[ANNOTATION.slot] ?? '';

async function put(link: string): Promise<number> {
  const request = { method: 'PUT', body: 'forged', headers: { 'if-none-match': '*' } };
  return (await fetch(link, request)).status;
}

/** The sha256 of each file of the destination, by its key. */
async function hashes(place: Places): Promise<Record<string, string>> {
  const { destination } = await place.see();
  const sha256 = (file: string) =>
    createHash('sha256')
      .update(readFileSync(join(destination, file)))
      .digest('hex');
  return Object.fromEntries(filesBelow(destination).map((file) => [file, sha256(file)]));
}

test.each(['folders', 'bucket'])(
  'F37 PUT links used after the commit, in %s: those of a dead attempt write to its own slot only, that of the winner nothing',
  async (kind) => {
    const worker = await scene.worker();
    const place = kind === 'folders' ? scene.inFolders(worker) : await scene.inBucket();
    const text = `slow 5\n${worker.instance}\n`;
    await place.put('one', text);
    const scan = await scene.start(worker, place, { retries: 0 });
    const engineOf = async (other = '') =>
      (await scene.podsOf(worker)).find((pod) => inEngine(pod) && slotOf(pod) !== other);
    await until(async () => (await engineOf()) !== undefined);
    const dead = await engineOf();
    await scene.deletePod(dead?.metadata?.name ?? '');
    await until(async () => (await engineOf(slotOf(dead))) !== undefined);
    const winner = await engineOf(slotOf(dead));
    await scan.result();

    const before = await hashes(place);
    const stolen = putLinks(dead);
    expect(stolen).toHaveLength(3);
    for (const link of stolen) expect([200, 201]).toContain(await put(link));
    expect(await put(putLinks(winner)[0] ?? '')).toBe(412);

    const after = await hashes(place);
    const changed = Object.keys({ ...before, ...after }).filter((key) => before[key] !== after[key]);
    expect(changed.map((key) => key.split('/').slice(-2)).sort()).toEqual(
      ['rebuilt', 'report.json', 'report.xml'].map((name) => [slotOf(dead), name]),
    );
    const { outcomes } = await scene.expectSound(worker, place, scan, { [sha256Of(text)]: 2 });
    expect(outcomes.rebuilt).toBe(1);
  },
  400_000,
);

test.each([
  [
    'privileged',
    (pod: V1Pod) => Object.assign(pod.spec?.containers[0] ?? {}, { securityContext: { privileged: true } }),
  ],
  [
    'with the folders of its node',
    (pod: V1Pod) => pod.spec?.volumes?.push({ name: 'node', hostPath: { path: '/' } }),
  ],
  [
    'with an image of its own',
    (pod: V1Pod) => Object.assign(pod.spec?.containers[0] ?? {}, { image: 'x:1' }),
  ],
  ['with a token', (pod: V1Pod) => Object.assign(pod.spec ?? {}, { automountServiceAccountToken: true })],
])('F37 a stolen worker token, used for a pod %s: admission denies, nothing runs', async (_, change) => {
  const pods = `/api/v1/namespaces/${world.namespace}/pods`;
  const pod = world.filePod(profileOf(profile));
  change(pod);
  // Where the API server knows no privileged containers at all, it says so before anybody else is asked.
  expect(await answer(world.worker, { method: 'POST', path: pods, body: pod })).toMatch(
    /^(403 Forbidden .*(violates PodSecurity|denied request)|422 .*disallowed by cluster policy)/,
  );
  const list = (await world.admin.call({ method: 'GET', path: pods })) as { items: unknown[] };
  expect(list.items).toEqual([]);
});
