/** Redis that speaks TLS only and wants a certificate, both signed by an authority of the test's own. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { certificateFiles, ensureAuthority, ensureCertificate } from '../../cluster/certificates.ts';
import { type OwnRedis, ownRedis } from '../../cluster/own-servers/own-redis.ts';
import { closeRedis, connectRedis } from '../../drivers/redis/connect.ts';
import { createRedisIndex } from '../../drivers/redis/index.ts';
import type { RedisSettings } from '../../drivers/redis/settings.ts';
import { profile, rebuilt, sha256 } from './contents.ts';
import { loadBloom, recordingLog } from './redis-connection.ts';

jest.setTimeout(60_000);

let folder: string;
let server: OwnRedis;
let url: string;
const ca = () => certificateFiles(folder, 'ca').cert;
const client = () => certificateFiles(folder, 'client');
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pristine-redis-tls-'));
  await ensureAuthority(folder, 'ca');
  await ensureAuthority(folder, 'other');
  const subject = { file: 'redis', commonName: 'redis', alternativeNames: ['IP:127.0.0.1'] };
  await ensureCertificate(folder, 'ca', subject);
  await ensureCertificate(folder, 'ca', { file: 'client', commonName: 'worker' });
  const { cert, key } = certificateFiles(folder, 'redis');
  server = await ownRedis(
    [
      ...['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', ca()],
      ...['--tls-auth-clients', 'yes', '--requirepass', 'tls-password', ...(await loadBloom())],
    ],
    { tls: { rejectUnauthorized: false, ...(await filesOf(client())) } },
  );
  await server.start();
  url = server.url.replace('redis://', 'rediss://:tls-password@');
});
afterAll(async () => {
  await server?.close();
  await rm(folder, { recursive: true });
});

const open = (settings: RedisSettings) => {
  const { log, lines } = recordingLog();
  const redis = connectRedis({ ...settings, log, connectTimeoutMs: 1000, commandTimeoutMs: 3000 });
  const options = { prefix: 'test', capacity: 1000, errorRate: 0.001, profiles: [], log };
  return { index: createRedisIndex(redis, options), lines, close: () => closeRedis(redis) };
};

test('with the authority and a certificate it works', async () => {
  const { index, close } = open({ url, tlsFiles: { ca: ca(), ...client() } });
  const key = { profile: profile(), sha256: sha256() };
  await index.check();
  await index.add(key, rebuilt);
  expect(await index.lookup(key.profile, [key.sha256])).toEqual([rebuilt]);
  await close();
});

test.each<[string, () => RedisSettings, RegExp]>([
  ['an authority that nobody named', () => ({ url, tlsFiles: { ...client() } }), /name its authority/],
  [
    'another authority',
    () => ({ url, tlsFiles: { ca: certificateFiles(folder, 'other').cert, ...client() } }),
    /name its authority/,
  ],
  [
    'a name that is not in the certificate',
    () => ({ url: url.replace('127.0.0.1', 'localhost'), tlsFiles: { ca: ca(), ...client() } }),
    /for another name than the one in the address/,
  ],
  ['no certificate to show', () => ({ url, tlsFiles: { ca: ca() } }), /does not answer/],
  ['no TLS', () => ({ url: url.replace('rediss', 'redis') }), /does not answer/],
])('%s: unavailable, and said', async (_name, settings, words) => {
  const { index, lines, close } = open(settings());
  await expect(index.check()).rejects.toMatchObject({
    code: 'index.unavailable',
    retryable: true,
    message: expect.stringMatching(words),
  });
  expect(lines.map((line) => line.event)).toEqual(['index.disconnected']);
  await close();
});

async function filesOf({ cert, key }: { cert: string; key: string }) {
  return { cert: await readFile(cert), key: await readFile(key) };
}
