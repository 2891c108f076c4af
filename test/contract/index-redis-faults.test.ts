/** Redis away, starved, without its module or with another password: on servers of these tests' own. */
import { afterEach, expect, jest, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { closeRedis, connectRedis } from '../../drivers/redis/connect.ts';
import { createRedisIndex } from '../../drivers/redis/index.ts';
import { createRedisLocks } from '../../drivers/redis/locks.ts';
import { createRedisSeen } from '../../drivers/redis/seen.ts';
import { profile, rebuilt, sha256 } from './describe-index.ts';
import { loadBloom, type OwnRedis, ownRedis } from './own-redis.ts';
import { recordingLog } from './redis-connection.ts';

// Calls wait for some reconnections before they give up.
jest.setTimeout(60_000);

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

const own = async (args: string[]): Promise<OwnRedis> => {
  const server = await ownRedis(args);
  opened.push(server);
  return server;
};
const connect = (url: string) => {
  const { log, lines } = recordingLog();
  const redis = connectRedis({ url, log, connectTimeoutMs: 1000, commandTimeoutMs: 3000 });
  opened.push({ close: () => closeRedis(redis) });
  return { redis, log, lines };
};
const indexOn = (redis: Redis, log = recordingLog().log) =>
  createRedisIndex(redis, { prefix: 'test', capacity: 1000, errorRate: 0.001, profiles: [], log });
const unavailable = { name: 'DriverError', code: 'index.unavailable', retryable: true };
const invalid = { name: 'DriverError', code: 'index.invalid', retryable: false };

test('without Bloom filters check says what to use', async () => {
  const server = await own([]);
  await server.start();
  const index = indexOn(connect(server.url).redis);
  await expect(index.check()).rejects.toMatchObject(invalid);
  await expect(index.check()).rejects.toThrow(/Redis 8.*Redis Stack.*loadmodule/);
  await expect(index.lookup(profile(), [sha256()])).rejects.toMatchObject(invalid);
});

test('killed: calls fail as unavailable, never as new; back: they work on the same connection', async () => {
  const server = await own([...(await loadBloom()), '--appendonly', 'yes', '--appendfsync', 'always']);
  await server.start();
  const { redis, log, lines } = connect(server.url);
  const index = indexOn(redis, log);
  const [locks, seen] = [
    createRedisLocks(redis, { prefix: 'test' }),
    createRedisSeen(redis, { prefix: 'test' }),
  ];
  const key = { profile: profile(), sha256: sha256() };
  await index.add(key, rebuilt);

  await server.kill();
  const calls = await Promise.allSettled([
    index.lookup(key.profile, [key.sha256]),
    index.add(key, rebuilt),
    locks.acquire(key, 'run', 60_000),
    Array.fromAsync(locks.list()),
    seen.seen('scan', [{ name: Buffer.from('a'), version: 'v1' }]),
    index.check(),
  ]);
  for (const call of calls) expect(call).toMatchObject({ status: 'rejected', reason: unavailable });
  expect(lines.filter((line) => line.event === 'index.disconnected')).toHaveLength(1);

  await server.start();
  expect(await eventually(() => index.lookup(key.profile, [key.sha256]))).toEqual([rebuilt]);
  expect(lines.at(-1)?.event).toBe('index.connected');
});

test('at its maxmemory it is unavailable, and goes on when it has more', async () => {
  const server = await own([...(await loadBloom()), '--maxmemory', '1']);
  await server.start();
  const { redis } = connect(server.url);
  const index = indexOn(redis);
  const key = { profile: profile(), sha256: sha256() };
  await expect(index.add(key, rebuilt)).rejects.toMatchObject(unavailable);
  await expect(index.add(key, rebuilt)).rejects.toThrow(/maxmemory/);
  await redis.config('SET', 'maxmemory', '0');
  await index.add(key, rebuilt);
  expect(await index.lookup(key.profile, [key.sha256])).toEqual([rebuilt]);
});

test('a wrong password is said, and not what it was', async () => {
  const server = await own([...(await loadBloom()), '--requirepass', 'right']);
  await server.start();
  const wrong = connect(server.url.replace('//', '//:s3cret-and-wrong@'));
  await expect(indexOn(wrong.redis).check()).rejects.toMatchObject(unavailable);
  await expect(indexOn(wrong.redis).check()).rejects.toThrow(/REDIS_URL/);
  expect(JSON.stringify(wrong.lines)).not.toContain('s3cret');
  await indexOn(connect(server.url.replace('//', '//:right@')).redis).check();
});

/** Redis takes a moment to be reached again: what is not there yet is asked again. */
async function eventually<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      expect(error).toMatchObject(unavailable);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
