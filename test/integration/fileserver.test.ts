import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { link, mkdir, open, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { describeSelf } from '../../drivers/file-system/owner.ts';
import type { Link } from '../../fileserver/links.ts';
import { createLinkSigner } from '../../fileserver/links.ts';
import { type FsPlaces, makeFsPlaces, TEST_KEYS } from '../contract/fs-places.ts';
import { until } from '../contract/until.ts';

let places: FsPlaces;
afterEach(() => places.close());

const soon = () => Date.now() + 60_000;

function linkTo(path: string, changes: Partial<Link> = {}): string {
  return places.signer.sign({
    method: 'GET',
    root: places.root,
    path: Buffer.from(path),
    pod: 'pristine-abc-a1',
    expiresAt: soon(),
    ...changes,
  });
}

const put = (url: string, body: string | ReadableStream) =>
  fetch(url, { method: 'PUT', body, duplex: 'half' } as RequestInit); // fetch's types do not know duplex

async function leftovers(): Promise<string[]> {
  return readdir(join(places.root, '.pristine-tmp')).catch(() => []);
}

function bytesOf(response: Response): Promise<string> {
  return response.arrayBuffer().then((bytes) => Buffer.from(bytes).toString());
}

describe('a link to read', () => {
  test('gives the file whole, with its length', async () => {
    places = await makeFsPlaces();
    await writeFile(join(places.root, 'file'), 'the bytes');
    const answer = await fetch(linkTo('file'));
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'cache-control': 'no-store',
      'content-length': '9',
      'content-type': 'application/octet-stream',
      'x-content-type-options': 'nosniff',
    });
    expect(await bytesOf(answer)).toBe('the bytes');
    await until(() => places.log.lines.length > 0);
    expect(places.log.lines).toContainEqual(
      expect.objectContaining({ event: 'link.served', pod: 'pristine-abc-a1', status: 200, bytes: 9 }),
    );
  });

  test('gives what is there, as often as it is asked, and 404 when it is gone', async () => {
    places = await makeFsPlaces();
    const path = join(places.root, 'file');
    const url = linkTo('file');
    for (const bytes of ['before', 'behind']) {
      await writeFile(path, bytes);
      expect(await bytesOf(await fetch(url))).toBe(bytes);
    }
    await rm(path);
    expect((await fetch(url)).status).toBe(404);
  });

  test('never leads through a link or out of the root, and does not hang on what is no file', async () => {
    places = await makeFsPlaces();
    await mkdir(join(places.root, 'a'));
    await writeFile(join(places.root, 'a', 'file'), 'x');
    await symlink('a', join(places.root, 'to-folder'));
    await symlink('a/file', join(places.root, 'to-file'));
    await symlink('/etc/passwd', join(places.root, 'to-outside'));
    await link(join(places.root, 'a', 'file'), join(places.root, 'hard'));
    execFileSync('mkfifo', [join(places.root, 'pipe')]);
    const statuses = [];
    for (const path of [
      'hard',
      'to-folder/file',
      'to-file',
      'to-outside',
      'a',
      'pipe',
      '../etc/passwd',
      'a/../../etc/passwd',
      '/etc/passwd',
      'a//file',
      '.',
      '',
    ]) {
      statuses.push([path, (await fetch(linkTo(path))).status]);
    }
    expect(statuses).toEqual([
      ['hard', 200],
      ['to-folder/file', 412],
      ['to-file', 412],
      ['to-outside', 412],
      ['a', 412],
      ['pipe', 412],
      ['../etc/passwd', 404],
      ['a/../../etc/passwd', 404],
      ['/etc/passwd', 404],
      ['a//file', 404],
      ['.', 404],
      ['', 404],
    ]);
  });

  test('breaks off before the end when the file changes under it', async () => {
    places = await makeFsPlaces();
    const path = join(places.root, 'file');
    // More than the sockets' buffers hold, so that the end is not read before the change.
    await writeFile(path, Buffer.alloc(64 * 1024 ** 2, 'a'));
    const answer = await fetch(linkTo('file'));
    expect(answer.status).toBe(200);
    const file = await open(path, 'r+');
    await file.write('b', 0);
    await file.close();
    await expect(answer.arrayBuffer()).rejects.toThrow();
    await until(() => places.log.lines.length > 0);
    expect(places.log.lines).toContainEqual(expect.objectContaining({ event: 'link.failed' }));
  });

  test('of a volume that is away is no answer about the file', async () => {
    places = await makeFsPlaces();
    await writeFile(join(places.root, 'file'), 'x');
    const url = linkTo('file');
    await rename(places.root, `${places.root}-away`);
    try {
      expect((await fetch(url)).status).toBe(500);
    } finally {
      await rename(`${places.root}-away`, places.root);
    }
  });
});

describe('every link that is not good', () => {
  test('is answered 403 with the same words, and only the log knows why', async () => {
    let now = Date.now();
    places = await makeFsPlaces({ now: () => now });
    await writeFile(join(places.root, 'mine'), 'mine');
    await writeFile(join(places.root, 'your'), 'your');
    const good = linkTo('mine');
    const [head = '', payload = '', mac = ''] = good.split('.').slice(-3);
    const address = good.slice(0, good.length - `${head}.${payload}.${mac}`.length) + head;
    const altered = (change: object) => {
      const fields = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), ...change };
      return `${address}.${Buffer.from(JSON.stringify(fields)).toString('base64url')}.${mac}`;
    };
    const stranger = createLinkSigner({ baseUrl: places.url, keys: [{ id: 'k1', secret: 's'.repeat(40) }] });
    const unknown = createLinkSigner({ baseUrl: places.url, keys: [{ ...TEST_KEYS[0], id: 'k2' }] });
    const grant = {
      method: 'GET' as const,
      root: places.root,
      path: Buffer.from('mine'),
      pod: 'p',
      expiresAt: soon(),
    };
    const otherMac = linkTo('your').split('.').at(-1);
    const cases: [string, string, string, string][] = [
      ['uploading with a link to read', 'PUT', good, 'other-method'],
      ['asking for the head only', 'HEAD', good, 'other-method'],
      ['deleting', 'DELETE', good, 'other-method'],
      ['reading with a link to upload', 'GET', linkTo('mine', { method: 'PUT' }), 'other-method'],
      ['another file', 'GET', altered({ path: Buffer.from('your').toString('base64url') }), 'bad-signature'],
      ['another root', 'GET', altered({ root: '/' }), 'bad-signature'],
      ['another pod', 'GET', altered({ pod: 'pristine-xyz-a1' }), 'bad-signature'],
      ['a later end', 'GET', altered({ expiresAt: soon() + 1 }), 'bad-signature'],
      ['another method in it', 'PUT', altered({ method: 'PUT' }), 'bad-signature'],
      ['no limit', 'GET', altered({ maxBytes: 1e12 }), 'bad-signature'],
      ['the signature of another', 'GET', `${address}.${payload}.${otherMac}`, 'bad-signature'],
      ['no signature', 'GET', `${address}.${payload}.`, 'malformed'],
      ['one character more', 'GET', `${good}A`, 'bad-signature'],
      ['a query behind it', 'GET', `${good}?x=1`, 'malformed'],
      ['a stranger’s secret', 'GET', stranger.sign(grant), 'bad-signature'],
      ['an unknown key', 'GET', unknown.sign(grant), 'unknown-key'],
      ['a root that the server does not serve', 'GET', linkTo('passwd', { root: '/etc' }), 'other-root'],
      ['nonsense', 'GET', `${places.url}/f/..%2f..%2fetc%2fpasswd`, 'malformed'],
    ];
    for (const [what, method, url, reason] of cases) {
      const answer = await fetch(url, { method, ...(method === 'PUT' ? { body: 'x' } : {}) });
      const body = await answer.text();
      expect([what, answer.status, body]).toEqual([what, 403, method === 'HEAD' ? '' : 'Forbidden\n']);
      expect([what, places.log.lines.at(-1)]).toEqual([
        what,
        expect.objectContaining({ event: 'link.refused', reason }),
      ]);
    }
    now += 120_000;
    expect((await fetch(good)).status).toBe(403);
    expect(places.log.lines.at(-1)).toMatchObject({ event: 'link.refused', reason: 'expired' });
    expect(await readdir(places.root)).toEqual(['mine', 'your']);
    expect(await readFile(join(places.root, 'mine'), 'utf8')).toBe('mine');

    const logged = JSON.stringify(places.log.lines);
    for (const part of [payload, mac, TEST_KEYS[0].secret]) expect(logged).not.toContain(part);
  });

  test('there is nothing else to be had', async () => {
    places = await makeFsPlaces();
    await writeFile(join(places.root, 'file'), 'x');
    for (const path of [
      '/',
      '/f',
      '/file',
      '/metrics',
      '/healthz/',
      '/%2e%2e/etc/passwd',
      '/f/../healthz/x',
    ]) {
      expect([path, (await fetch(places.url + path)).status]).toEqual([path, 404]);
    }
    expect((await fetch(`${places.url}/healthz`, { method: 'POST' })).status).toBe(404);
    expect((await fetch(`${places.url}/f/`)).status).toBe(403);
    expect(await (await fetch(`${places.url}/healthz`)).text()).toBe('OK\n');
  });
});

describe('a link to upload', () => {
  const upload = (path: string, changes: Partial<Link> = {}) => linkTo(path, { method: 'PUT', ...changes });

  test('creates the file and the folders above it, once', async () => {
    places = await makeFsPlaces();
    const url = upload('content/ab/a1-x/rebuilt');
    expect((await put(url, 'first')).status).toBe(201);
    expect((await put(url, 'second')).status).toBe(412);
    expect(await readFile(join(places.root, 'content/ab/a1-x/rebuilt'), 'utf8')).toBe('first');
    expect(await leftovers()).toEqual([]);
  });

  test('of twenty at once lets one in', async () => {
    places = await makeFsPlaces();
    const url = upload('content/rebuilt');
    const bodies = Array.from({ length: 20 }, (_, at) => `upload ${at}`);
    const statuses = await Promise.all(bodies.map(async (body) => (await put(url, body)).status));
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    expect(statuses.filter((status) => status === 412)).toHaveLength(19);
    const kept = await readFile(join(places.root, 'content/rebuilt'), 'utf8');
    expect(kept).toBe(bodies[statuses.indexOf(201)]);
    expect(await leftovers()).toEqual([]);
  });

  test('takes no more than it allows, said or not said before, and the server no more than its own limit', async () => {
    places = await makeFsPlaces({ maxUploadBytes: 8 });
    const stream = (text: string) => new Blob([text]).stream();
    expect((await put(upload('a', { maxBytes: 5 }), '123456')).status).toBe(413);
    expect((await put(upload('a', { maxBytes: 5 }), stream('123456'))).status).toBe(413);
    expect((await put(upload('a', { maxBytes: 1000 }), '123456789')).status).toBe(413);
    expect((await put(upload('a'), '123456789')).status).toBe(413);
    expect(await leftovers()).toEqual([]);
    expect((await put(upload('a', { maxBytes: 5 }), stream('12345'))).status).toBe(201);
  });

  test('answers 413 although the sender goes on', async () => {
    places = await makeFsPlaces({ maxUploadBytes: 1024 });
    const answer = await put(upload('a'), new Blob([new Uint8Array(30 * 1024 ** 2)]).stream());
    expect(answer.status).toBe(413);
    expect(await leftovers()).toEqual([]);
  });

  test('writes through no link', async () => {
    places = await makeFsPlaces();
    await mkdir(join(places.root, 'elsewhere'));
    await symlink('elsewhere', join(places.root, 'content'));
    await symlink('elsewhere/new', join(places.root, 'file'));
    expect((await put(upload('content/rebuilt'), 'x')).status).toBe(500);
    expect((await put(upload('file'), 'x')).status).toBe(412);
    expect((await put(upload('../outside'), 'x')).status).toBe(404);
    expect((await put(upload('.pristine-tmp/x'), 'x')).status).toBe(404);
    expect(await readdir(join(places.root, 'elsewhere'))).toEqual([]);
    expect(await leftovers()).toEqual([]);
  });

  /** Sends the beginning of a request and leaves the rest to the test. */
  async function begin(text: string): Promise<Socket> {
    const { port, hostname } = new URL(places.url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    socket.on('error', () => undefined);
    socket.write(text);
    return socket;
  }
  const head = (url: string, length: number) =>
    `PUT ${new URL(url).pathname} HTTP/1.1\r\nhost: x\r\ncontent-length: ${length}\r\n\r\n`;
  const failed = () =>
    expect.objectContaining({ event: 'link.failed', pod: 'pristine-abc-a1', method: 'PUT' });
  const hasBegun = () => until(async () => (await leftovers()).length === 1);
  // The failure is said while the temporary file is being removed.
  const leavesNothing = () => until(async () => (await leftovers()).length === 0);
  const hasFailed = () => until(() => places.log.lines.some(({ event }) => event === 'link.failed'));

  test('that is broken off leaves nothing', async () => {
    places = await makeFsPlaces();
    const socket = await begin(`${head(upload('a'), 100)}half`);
    await hasBegun();
    socket.destroy();
    await hasFailed();
    await leavesNothing();
    expect(await readdir(places.root)).toEqual(['.pristine-tmp']);
    expect(places.log.lines).toContainEqual(failed());
  });

  test('that stalls is cut off and leaves nothing', async () => {
    places = await makeFsPlaces({ idleMs: 100 });
    const socket = await begin(`${head(upload('a'), 100)}half`);
    await once(socket, 'close');
    await hasFailed();
    await leavesNothing();
  });

  test('that goes on past the end of its link is cut off and leaves nothing', async () => {
    places = await makeFsPlaces();
    const socket = await begin(`${head(upload('a', { expiresAt: Date.now() + 300 }), 100_000)}half`);
    const dripping = setInterval(() => socket.write('x'), 20);
    await once(socket, 'close');
    clearInterval(dripping);
    await hasFailed();
    await leavesNothing();
  });

  test('whose head never ends is cut off', async () => {
    places = await makeFsPlaces({ headersMs: 100 });
    const socket = await begin('PUT /f/x HTTP/1.1\r\nhost: x\r\n');
    const dripping = setInterval(() => socket.write('x: y\r\n'), 20);
    socket.resume();
    await once(socket, 'close');
    clearInterval(dripping);
  });

  test('with a head that is too large is refused', async () => {
    places = await makeFsPlaces();
    const socket = await begin(`GET /f/${'a'.repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`);
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toContain('431');
    socket.destroy();
  });
});

test('what a server that was killed left half written goes when it starts again', async () => {
  places = await makeFsPlaces();
  const temps = join(places.root, '.pristine-tmp');
  await mkdir(temps);
  const alive = await describeSelf();
  const dead = alive.replace(/-\d+-\d+$/, '-4194304-1');
  await writeFile(join(temps, `${alive}-x`), 'half');
  await writeFile(join(temps, `${dead}-x`), 'half');
  const again = await makeFsPlaces({ roots: [places.root] });
  try {
    await until(async () => (await leftovers()).length === 1);
    expect(await leftovers()).toEqual([`${alive}-x`]);
  } finally {
    await again.close();
  }
});
