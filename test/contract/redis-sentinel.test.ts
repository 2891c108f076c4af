/** Every contract on a Redis that Sentinels watch, before and after its master is killed. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { freePort } from '../../cluster/own-servers/free-port.ts';
import { type OwnRedis, ownRedis, ownSentinel } from '../../cluster/own-servers/own-redis.ts';
import { closeRedis, connectRedis } from '../../drivers/redis/connect.ts';
import { createRedisIndex } from '../../drivers/redis/index.ts';
import { createRedisLocks } from '../../drivers/redis/locks.ts';
import { createRedisSeen } from '../../drivers/redis/seen.ts';
import type { RedisSettings } from '../../drivers/redis/settings.ts';
import { MINUTE, profile, rebuilt, sha256 } from './contents.ts';
import { describeIndex } from './describe-index.ts';
import { describeLocks } from './describe-locks.ts';
import { describeSeen } from './describe-seen.ts';
import { eventually } from './eventually.ts';
import { loadBloom, recordingLog } from './redis-connection.ts';

// A failover takes some seconds.
jest.setTimeout(120_000);

const password = 'redis-password';
const sentinelPassword = 'sentinel-password';
let master: OwnRedis;
let settings: RedisSettings;
const servers: OwnRedis[] = [];
const start = async (server: OwnRedis) => {
  servers.push(server);
  await server.start();
  return server;
};
beforeAll(async () => {
  const args = [...(await loadBloom()), '--requirepass', password, '--masterauth', password];
  master = await start(await ownRedis(args));
  await start(await ownRedis([...args, '--replicaof', '127.0.0.1', `${master.port}`]));
  const watched = { name: 'main', port: master.port, password };
  const sentinel = await start(await ownSentinel(watched, [`requirepass ${sentinelPassword}`]));
  const nobody = await freePort('127.0.0.1');
  settings = {
    sentinel: {
      sentinels: [nobody, sentinel.port].map((port) => ({ host: '127.0.0.1', port })),
      master: 'main',
      password: sentinelPassword,
    },
    password,
  };
});
afterAll(async () => {
  for (const server of servers.reverse()) await server.close();
});

const open = (more: Partial<RedisSettings> = {}) => {
  const { log, lines } = recordingLog();
  const prefix = `test-${randomUUID()}`;
  const redis = connectRedis({ ...settings, ...more, log, connectTimeoutMs: 1000, commandTimeoutMs: 3000 });
  return {
    index: createRedisIndex(redis, { prefix, capacity: 10_000, errorRate: 0.001, profiles: [], log }),
    locks: createRedisLocks(redis, { prefix }),
    seen: createRedisSeen(redis, { prefix }),
    redis,
    lines,
    close: () => closeRedis(redis),
  };
};

describeIndex('Redis behind Sentinels', async () => open());
describeLocks('Redis behind Sentinels', async () => open());
describeSeen('Redis behind Sentinels', async () => open());

test.each<[string, (now: RedisSettings) => Partial<RedisSettings>]>([
  ['Redis', () => ({ password: 's3cret-and-wrong' })],
  ['the Sentinels', ({ sentinel }) => ({ sentinel: sentinel && { ...sentinel, password: 's3cret-too' } })],
  ['no such master', ({ sentinel }) => ({ sentinel: sentinel && { ...sentinel, master: 'other' } })],
])('what is wrong for %s is unavailable, and no password is said', async (_name, change) => {
  const { index, lines, close } = open(change(settings));
  await expect(index.check()).rejects.toMatchObject({ code: 'index.unavailable', retryable: true });
  expect(lines.map((line) => line.event)).toContain('index.disconnected');
  expect(JSON.stringify(lines)).not.toContain('s3cret');
  await close();
});

describe('the master killed', () => {
  test('unavailable meanwhile, never new, done or free; then the replica goes on with all of it', async () => {
    const { index, locks, redis, close } = open();
    const done = { profile: profile(), sha256: sha256() };
    const locked = { ...done, sha256: sha256() };
    await index.add(done, rebuilt);
    expect(await index.claim(locked, 'run-1', 10 * MINUTE)).toEqual({ kind: 'claimed' });
    // The replica has it too: what it has not would be found by the receipt.
    expect(await redis.call('WAIT', 1, 10_000)).toBe(1);

    await master.kill();
    const down = await Promise.allSettled([
      index.lookup(done.profile, [done.sha256]),
      index.claim(locked, 'run-2', MINUTE),
      Array.fromAsync(locks.list()),
    ]);
    for (const call of down) {
      expect(call).toMatchObject({ status: 'rejected', reason: { code: 'index.unavailable' } });
    }

    expect(await eventually(() => index.lookup(done.profile, [done.sha256]))).toEqual([rebuilt]);
    expect(await index.claim(done, 'run-2', MINUTE)).toMatchObject({ kind: 'done' });
    expect(await index.claim(locked, 'run-2', MINUTE)).toEqual({ kind: 'held' });
    expect(await Array.fromAsync(locks.list())).toMatchObject([{ owner: 'run-1' }]);
    await index.add(locked, rebuilt, 'run-1');
    expect(await index.lookup(done.profile, [done.sha256, locked.sha256])).toEqual([rebuilt, rebuilt]);
    expect(await Array.fromAsync(locks.list())).toEqual([]);
    await index.check();
    await close();
  });

  test('back, it is a replica, and nobody takes it for the master', async () => {
    await master.start();
    const asked = new Redis({ port: master.port, host: '127.0.0.1', password });
    while (!String(await asked.info('replication')).includes('role:slave')) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    asked.disconnect();
    const { index, close } = open();
    const key = { profile: profile(), sha256: sha256() };
    await index.add(key, rebuilt);
    expect(await index.lookup(key.profile, [key.sha256])).toEqual([rebuilt]);
    await close();
  });
});
