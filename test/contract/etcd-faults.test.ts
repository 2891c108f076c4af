/** etcd away, stalled, full, without us or with another certificate: on servers of these tests' own. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, jest, test } from '@jest/globals';
import { z } from 'zod';
import { certificateFiles, ensureAuthority, ensureCertificate } from '../../cluster/certificates.ts';
import { freePort } from '../../cluster/own-servers/free-port.ts';
import { connectEtcd, type Etcd } from '../../drivers/etcd/connect.ts';
import { createEtcdIndex } from '../../drivers/etcd/index.ts';
import { createEtcdLocks } from '../../drivers/etcd/locks.ts';
import { createEtcdSeen } from '../../drivers/etcd/seen.ts';
import { EVENT } from '../../drivers/events.ts';
import { MINUTE, profile, rebuilt, sha256 } from './contents.ts';
import { type OwnEtcd, ownEtcd } from './own-etcd.ts';
import { recordingLog } from './redis-connection.ts';

jest.setTimeout(120_000);

const opened: { close(): Promise<void> | void }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

const own = async (...args: Parameters<typeof ownEtcd>): Promise<OwnEtcd> => {
  const server = await ownEtcd(...args);
  opened.push(server);
  return server;
};
const indexOn = (etcd: Etcd, log = recordingLog().log) =>
  createEtcdIndex(etcd, { prefix: 'test', profiles: ['0123abcd'], log });
const unavailable = { name: 'DriverError', code: 'index.unavailable', retryable: true };
const everyCall = (etcd: Etcd) => {
  const index = indexOn(etcd);
  const [locks, seen] = [createEtcdLocks(etcd, { prefix: 'test' }), createEtcdSeen(etcd, { prefix: 'test' })];
  const key = { profile: profile(), sha256: sha256() };
  const files = [{ name: Buffer.from('a'), version: 'v1' }];
  const none = async function* () {};
  return Promise.allSettled([
    index.check(),
    index.lookup(key.profile, [key.sha256]),
    index.claim(key, 'run', MINUTE),
    index.add(key, rebuilt, 'run'),
    index.forget(key),
    index.rebuild(key.profile, none()),
    locks.acquire(key, 'run', MINUTE),
    locks.release(key, 'run'),
    locks.break(key),
    Array.fromAsync(locks.list()),
    seen.seen('scan', files),
    seen.mark('scan', files),
    seen.forget('scan'),
  ]);
};
const failures = (calls: PromiseSettledResult<unknown>[]) =>
  calls.flatMap((call) => (call.status === 'rejected' ? [String(call.reason)] : []));
/** It takes a moment to be reached again: what is not there yet is asked again. */
async function eventually<T>(ask: () => Promise<T>): Promise<T> {
  const until = Date.now() + 60_000;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      expect(error).toMatchObject(unavailable);
      if (Date.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

test('killed: every call fails as unavailable, never as new; back: all is there, on the same connection', async () => {
  const server = await own();
  await server.start();
  const { log, lines } = recordingLog();
  const etcd = server.connect({ log });
  const index = indexOn(etcd);
  const key = { profile: profile(), sha256: sha256() };
  await index.add(key, rebuilt);
  const locks = createEtcdLocks(etcd, { prefix: 'test' });
  await locks.acquire(key, 'run', 10 * MINUTE);

  await server.kill();
  for (const call of await everyCall(etcd)) {
    expect(call).toMatchObject({ status: 'rejected', reason: unavailable });
    expect(call).toMatchObject({ reason: { message: expect.stringContaining('ETCD_ENDPOINTS') } });
  }
  expect(lines.filter((line) => line.event === EVENT.indexDisconnected)).toHaveLength(1);

  await server.start();
  expect(await eventually(() => index.lookup(key.profile, [key.sha256]))).toEqual([rebuilt]);
  expect(await locks.acquire(key, 'other', MINUTE)).toBe(false);
  expect(lines.at(-1)?.event).toBe(EVENT.indexConnected);
});

test('a restart within a call is sat through', async () => {
  const server = await own();
  await server.start();
  const index = indexOn(server.connect());
  const key = { profile: profile(), sha256: sha256() };
  await index.add(key, rebuilt);
  const answers: unknown[] = [];
  await server.kill();
  const starting = server.start();
  answers.push(await eventually(() => index.lookup(key.profile, [key.sha256])));
  await starting;
  expect(answers).toEqual([[rebuilt]]);
});

test('whatever swallows calls is given up in time, and another member is asked', async () => {
  const server = await own();
  await server.start();
  const sockets: Socket[] = [];
  const hole = createServer((socket) => void sockets.push(socket.on('error', () => {}))).listen(
    0,
    '127.0.0.1',
  );
  await once(hole, 'listening');
  opened.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      hole.close();
    },
  });
  const address = hole.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const endpoints = [`http://127.0.0.1:${port}`, server.url];
  const alone = server.connect({ endpoints: endpoints.slice(0, 1), timeoutMs: 1_000 });
  const since = Date.now();
  for (const call of await everyCall(alone)) {
    expect(call).toMatchObject({ status: 'rejected', reason: unavailable });
  }
  expect(Date.now() - since).toBeLessThan(10_000);

  // The first call is lost with the member that swallowed it; those after it go to the other.
  const both = indexOn(server.connect({ endpoints, timeoutMs: 1_000 }));
  await expect(both.lookup(profile(), [sha256()])).rejects.toMatchObject(unavailable);
  expect(await both.lookup(profile(), [sha256()])).toEqual([null]);
  // A member that is not there costs no call at all.
  const gone = `http://127.0.0.1:${await freePort('127.0.0.1')}`;
  const index = indexOn(server.connect({ endpoints: [gone, server.url] }));
  expect(await index.lookup(profile(), [sha256()])).toEqual([null]);
  await index.check();
});

test('a wrong or missing password is said, and not what it was; after a change of users work goes on', async () => {
  const server = await own();
  await server.start();
  const roots = { user: 'root', password: 'r00t' };
  for (const [path, body] of [
    ['auth/user/add', { name: 'root', password: roots.password }],
    ['auth/user/grant', { user: 'root', role: 'root' }],
    ['auth/user/add', { name: 'pristine', password: 'right' }],
    ['auth/role/add', { name: 'files' }],
    ['auth/role/grant', { name: 'files', perm: { permType: 'READWRITE', ...range('test/', 'test0') } }],
    ['auth/user/grant', { user: 'pristine', role: 'files' }],
  ] as const) {
    await server.ask(path, body);
  }
  // Without users etcd takes whoever says a name, and so do we.
  const before = server.connect({ user: 'pristine', password: 'right' });
  const key = { profile: profile(), sha256: sha256() };
  await indexOn(before).add(key, rebuilt);
  await server.ask('auth/enable');
  expect(await indexOn(before).lookup(key.profile, [key.sha256])).toEqual([rebuilt]);

  const { log, lines } = recordingLog();
  for (const wrong of [
    { user: 'pristine', password: 's3cret-and-wrong' },
    { user: 'nobody', password: 'x' },
    {},
  ]) {
    for (const call of await everyCall(server.connect({ ...wrong, log }))) {
      expect(call).toMatchObject({ status: 'rejected', reason: unavailable });
      expect(call).toMatchObject({ reason: { message: expect.stringContaining('ETCD_USER') } });
      expect(JSON.stringify(call)).not.toContain('s3cret');
    }
  }
  expect(JSON.stringify(lines)).not.toContain('s3cret');

  const right = server.connect({ user: 'pristine', password: 'right' });
  expect(failures(await everyCall(right))).toEqual([]);
  const elsewhere = createEtcdIndex(right, { prefix: 'other', profiles: [], log });
  await expect(elsewhere.lookup(key.profile, [key.sha256])).rejects.toMatchObject(unavailable);
  await expect(elsewhere.lookup(key.profile, [key.sha256])).rejects.toThrow(/readwrite.*PRISTINE_KEY_PREFIX/);

  // Any change of users makes every token stale; so does a restart.
  const root = server.connect(roots);
  await root.txn({});
  const token = await signIn(server, roots);
  const added = await fetch(`${server.url}/v3/auth/user/add`, {
    method: 'POST',
    headers: { authorization: token },
    body: JSON.stringify({ name: 'another', password: 'x' }),
  });
  expect(added.status).toBe(200);
  expect(await indexOn(right).lookup(key.profile, [key.sha256])).toEqual([rebuilt]);
  await server.kill();
  await server.start();
  expect(await eventually(() => indexOn(right).lookup(key.profile, [key.sha256]))).toEqual([rebuilt]);
});

test('near its quota it is said once; full, nothing is taken, and it goes on when there is room', async () => {
  // Its size is what the last commit left: with one a write, no write is unseen by the next check.
  const commits = ['--backend-batch-limit', '1', '--unsafe-no-fsync'];
  const server = await own(['--quota-backend-bytes', String(4 * 1024 * 1024), ...commits]);
  await server.start();
  const { log, lines } = recordingLog();
  const etcd = server.connect();
  const index = indexOn(etcd, log);
  const key = { profile: profile(), sha256: sha256() };
  await index.add(key, rebuilt);
  await index.check();
  expect(lines).toEqual([]);

  const fill = (count: number) =>
    server.ask('kv/put', { key: base64(`fill-${count}`), value: base64('x'.repeat(100_000)) });
  for (let count = 0; lines.length === 0 && count < 60; count++) {
    await fill(count);
    await index.check();
  }
  expect(lines).toMatchObject([{ event: EVENT.indexStoreFilling, quota: 4 * 1024 * 1024 }]);
  await index.check();
  expect(lines).toHaveLength(1);

  await expect(fillAll(fill)).rejects.toThrow(/space exceeded/);
  const again = { profile: key.profile, sha256: sha256() };
  for (const call of [
    () => index.add(again, rebuilt),
    () => index.claim(again, 'run', MINUTE),
    () => index.check(),
  ]) {
    await expect(eventuallyFull(call)).rejects.toMatchObject(unavailable);
    await expect(call()).rejects.toThrow(/NOSPACE.*compact.*alarm disarm/);
  }
  // Reading goes on, and says neither new nor done of what it does not know.
  expect(await index.lookup(key.profile, [key.sha256, again.sha256])).toEqual([rebuilt, null]);

  const { header } = await server.ask('kv/deleterange', range('fill-', 'fill.'));
  await server.ask('kv/compaction', { revision: Reflect.get(Object(header), 'revision'), physical: true });
  await server.ask('maintenance/defragment');
  const { alarms } = await server.ask('maintenance/alarm', { action: 'GET' });
  const [raised] = z.array(z.looseObject({ alarm: z.literal('NOSPACE') })).parse(alarms);
  await server.ask('maintenance/alarm', { action: 'DEACTIVATE', ...raised });
  await eventually(() => index.add(again, rebuilt));
  await index.check();
  expect(await index.lookup(key.profile, [again.sha256])).toEqual([rebuilt]);
});

test('TLS with a certificate of our own; without it, or with another authority, the message says where to look', async () => {
  const files = await own();
  const [cert, key, ca] = ['--cert-file', '--key-file', '--trusted-ca-file'];
  await ensureAuthority(files.folder, 'ca');
  await ensureAuthority(files.folder, 'other');
  const alternativeNames = ['IP:127.0.0.1'];
  await ensureCertificate(files.folder, 'ca', { file: 'server', commonName: 'etcd', alternativeNames });
  await ensureCertificate(files.folder, 'ca', { file: 'client', commonName: 'pristine' });
  await ensureCertificate(files.folder, 'other', { file: 'stranger', commonName: 'pristine' });
  const of = (name: string) => certificateFiles(files.folder, name);
  const server = await own(
    [cert, of('server').cert, key, of('server').key, ca, of('ca').cert, '--client-cert-auth'],
    'https',
  );
  await server.start();

  const ours = { caFile: of('ca').cert, certFile: of('client').cert, keyFile: of('client').key };
  for (const call of await everyCall(server.connect(ours)))
    expect(call).toMatchObject({ status: 'fulfilled' });
  const stranger = { certFile: of('stranger').cert, keyFile: of('stranger').key };
  for (const wrong of [
    { ...ours, ...stranger },
    { caFile: ours.caFile },
    { ...ours, caFile: of('other').cert },
    {},
  ]) {
    const [called] = await everyCall(server.connect({ ...wrong, timeoutMs: 3_000 }));
    expect(called).toMatchObject({ status: 'rejected', reason: unavailable });
  }
  await expect(indexOn(server.connect({ ...ours, caFile: of('other').cert })).check()).rejects.toThrow(
    /ETCD_CA_FILE/,
  );
});

test('an address that is none and files that are none are told before anything is tried', async () => {
  const { log } = recordingLog();
  const invalid = { name: 'DriverError', code: 'config.invalid', retryable: false };
  for (const endpoints of [[], ['etcd:2379'], ['ftp://etcd'], ['']]) {
    expect(() => connectEtcd({ endpoints, log })).toThrow(expect.objectContaining(invalid));
  }
  const endpoints = ['https://etcd'];
  expect(() => connectEtcd({ endpoints, caFile: '/does/not/exist', log })).toThrow(/ETCD_CA_FILE/);
  const noPem = join((await own()).folder, 'no-pem');
  writeFileSync(noPem, 'x');
  expect(() => connectEtcd({ endpoints, certFile: noPem, keyFile: noPem, log })).toThrow(/PEM/);
});

const base64 = (text: string) => Buffer.from(text).toString('base64');
const range = (from: string, end: string) => ({ key: base64(from), range_end: base64(end) });

async function signIn(server: OwnEtcd, { user, password }: { user: string; password: string }) {
  const { token } = await server.ask('auth/authenticate', { name: user, password });
  return String(token);
}

async function fillAll(fill: (count: number) => Promise<unknown>): Promise<void> {
  for (let count = 100; count < 200; count++) await fill(count);
}

/** The alarm reaches all members a moment after the write that raised it. */
async function eventuallyFull(call: () => Promise<unknown>): Promise<void> {
  const until = Date.now() + 20_000;
  while (Date.now() < until) {
    await call();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
