/** Links in wrong hands, at the wrong time, for the wrong thing; and clocks that do not agree. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { freePort } from '../../cluster/own-servers/free-port.ts';
import { createFileServer } from '../../fileserver/file-server.ts';
import { linkKeysSchema } from '../../fileserver/link-keys.ts';
import { FETCH_ENV, UPLOAD_ENV } from '../../pod/protocol.ts';
import { recordingLog } from '../contract/redis-connection.ts';
import { stackVariable } from '../contract/stack.ts';
import { until } from '../contract/until.ts';
import { inEngine, openScene, type Scene, sha256Of } from './scene.ts';

const KEYS = 'test:a secret of a test of more than 32 characters';
const MINUTE = 60_000;

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
}, 600_000);
afterAll(async () => {
  await scene?.close();
}, 600_000);

/** A worker whose pods use a file server of the test's own, the clock of which the test sets. */
async function withClock() {
  const host = stackVariable('PRISTINE_HOST_ADDRESS');
  const port = await freePort(host);
  const worker = await scene.worker({
    PRISTINE_FILE_SERVER_URL: `http://${host}:${port}`,
    PRISTINE_LINK_KEYS: KEYS,
  });
  const clock = { off: 0 };
  const { log, lines } = recordingLog();
  const server: Server = createFileServer({
    roots: [worker.folder],
    keys: linkKeysSchema.parse(KEYS),
    maxUploadBytes: 1024 ** 2,
    logger: log,
    now: () => Date.now() + clock.off,
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  expect((server.address() as AddressInfo).port).toBe(port); // it listens on TCP
  return {
    worker,
    clock,
    refusals: () => lines.filter(({ event }) => event === 'link.refused').map(({ reason }) => reason),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function variable(pod: V1Pod | undefined, name: string): string {
  const { initContainers = [], containers = [] } = pod?.spec ?? {};
  const all = [...initContainers, ...containers].flatMap(({ env = [] }) => env);
  return all.find((each) => each.name === name)?.value ?? '';
}

test('F29 a pod whose link has expired before it started gets a new one, and that counts as no attempt', async () => {
  const { worker, clock, refusals, close } = await withClock();
  const place = scene.inFolders(worker);
  const text = `rebuild\n${worker.instance}\n`;
  await place.put('late', text);
  clock.off = 60 * MINUTE;
  try {
    const scan = await scene.start(worker, place, { retries: 0 });
    await until(() => worker.events('pod.ended').length > 0);
    clock.off = 0;
    await scan.result();
    const pods = worker.events('pod.created').length;
    const { outcomes } = await scene.expectSound(worker, place, scan, { [sha256Of(text)]: pods });
    expect(outcomes.rebuilt).toBe(1);
    expect(pods).toBeGreaterThan(1);
    expect(refusals()).toContain('expired');
  } finally {
    await close();
  }
}, 400_000);

test.each([10 * MINUTE, -10 * MINUTE])(
  'F30 the clock of the file server is %i ms off: it alone decides, and all is rebuilt with one pod',
  async (off) => {
    const { worker, clock, refusals, close } = await withClock();
    const place = scene.inFolders(worker);
    await place.put('one', `rebuild\n${worker.instance}\n`);
    clock.off = off;
    try {
      const scan = await scene.start(worker, place, { retries: 0 });
      expect((await scene.expectSound(worker, place, scan)).outcomes.rebuilt).toBe(1);
      expect(refusals()).toEqual([]);
    } finally {
      await close();
    }
  },
  400_000,
);

test.each(['folders', 'bucket'])(
  'F29 links of a pod in %s: reused, tampered with, by another method, for another file',
  async (kind) => {
    const worker = await scene.worker();
    const place = kind === 'folders' ? scene.inFolders(worker) : await scene.inBucket();
    await place.put('a', `slow 20\n${worker.instance} a\n`);
    await place.put('b', `slow 20\n${worker.instance} b\n`);
    const scan = await scene.start(worker, place);
    await until(async () => (await scene.podsOf(worker)).filter(inEngine).length === 2);
    const [mine, other] = await scene.podsOf(worker);
    const get = variable(mine, FETCH_ENV.url);
    const put = variable(mine, UPLOAD_ENV.rebuilt);
    const theirs = variable(other, UPLOAD_ENV.rebuilt);
    expect(new Set([get, put, theirs]).size).toBe(3);

    const ask = async (link: string, method: 'GET' | 'PUT') => {
      const body = method === 'PUT' ? { body: 'forged', headers: { 'if-none-match': '*' } } : {};
      return (await fetch(link, { method, ...body })).status;
    };
    // Another method.
    expect(await ask(get, 'PUT')).toBe(403);
    expect(await ask(put, 'GET')).toBe(403);
    // Another file, under the signature of this one.
    expect(await ask(graft(theirs, put), 'PUT')).toBe(403);
    expect(await ask(graft(put, get), 'GET')).toBe(403);
    // One character of the signature.
    for (const link of [get, put]) {
      const changed = `${link.slice(0, -2)}${link.at(-2) === '0' ? '1' : '0'}${link.slice(-1)}`;
      expect(await ask(changed, link === get ? 'GET' : 'PUT')).toBe(403);
    }
    await scan.result();
    // Its own again, after the commit: nothing is replaced, as the oracle sees.
    expect(await ask(put, 'PUT')).toBe(412);
    expect(await ask(theirs, 'PUT')).toBe(412);
    const { outcomes } = await scene.expectSound(worker, place, scan);
    expect(outcomes.rebuilt).toBe(2);
  },
  400_000,
);

/** What one link leads to, with the signature of another. */
function graft(target: string, signature: string): string {
  const [to, by] = [new URL(target), new URL(signature)];
  if (to.pathname.startsWith('/f/')) {
    const [head, payload] = to.pathname.split('.');
    const mac = by.pathname.split('.').at(-1);
    return `${to.origin}${join('/', `${head}.${payload}.${mac}`)}`;
  }
  return `${to.origin}${to.pathname}${by.search}`;
}
