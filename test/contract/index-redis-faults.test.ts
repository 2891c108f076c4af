/** Redis away, starved, without its module or with another password: on servers of these tests' own. */
import { afterEach, expect, jest, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { type OwnRedis, ownRedis } from '../../cluster/own-servers/own-redis.ts';
import { closeRedis } from '../../drivers/redis/connect.ts';
import { createRedisIndex } from '../../drivers/redis/index.ts';
import { redisKeys } from '../../drivers/redis/keys.ts';
import { createRedisLocks } from '../../drivers/redis/locks.ts';
import { createRedisSeen } from '../../drivers/redis/seen.ts';
import { profile, rebuilt, sha256 } from './contents.ts';
import { eventually } from './eventually.ts';
import { connectOne, loadBloom, recordingLog } from './redis-connection.ts';
import { many, records } from './redis-index.ts';

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
  const redis = connectOne({ url, log, connectTimeoutMs: 1000, commandTimeoutMs: 3000 });
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
  const server = await own(await loadBloom());
  await server.start();
  const { redis } = connect(server.url);
  const index = indexOn(redis);
  const locks = createRedisLocks(redis, { prefix: 'test' });
  const seen = createRedisSeen(redis, { prefix: 'test' });
  const done = { profile: profile(), sha256: sha256() };
  const key = { ...done, sha256: sha256() };
  await index.add(done, rebuilt);

  await redis.config('SET', 'maxmemory', '1');
  for (const call of [
    () => index.add(key, rebuilt),
    () => index.claim(key, 'run', 60_000),
    () => locks.acquire(key, 'run', 60_000),
    () => seen.mark('scan', [{ name: Buffer.from('a'), version: 'v1' }]),
  ]) {
    await expect(call()).rejects.toMatchObject(unavailable);
    await expect(call()).rejects.toThrow(/maxmemory/);
  }
  expect(await index.lookup(done.profile, [done.sha256, key.sha256])).toEqual([rebuilt, null]);
  expect(await index.claim(done, 'run', 60_000)).toEqual({ kind: 'done', record: rebuilt });
  expect(await Array.fromAsync(locks.list())).toEqual([]);
  await index.check();

  await redis.config('SET', 'maxmemory', '0');
  expect(await index.claim(key, 'run', 60_000)).toEqual({ kind: 'claimed' });
  await index.add(key, rebuilt, 'run');
  expect(await index.lookup(done.profile, [done.sha256, key.sha256])).toEqual([rebuilt, rebuilt]);
});

test('started from an older dump: what it has is done, what it has forgotten is new, and both go on', async () => {
  const server = await own(await loadBloom());
  await server.start();
  const { redis, log, lines } = connect(server.url);
  const index = indexOn(redis, log);
  const p = profile();
  const [early, late] = [many(20), many(20)];
  for (const one of early) await index.add({ profile: p, sha256: one }, rebuilt);
  await redis.save();
  for (const one of late) await index.add({ profile: p, sha256: one }, rebuilt);

  // Nothing was saved since: the dump is the older one.
  await server.kill();
  await server.start();
  const answers = [...early.map(() => rebuilt), ...late.map(() => null)];
  expect(await eventually(() => index.lookup(p, [...early, ...late]))).toEqual(answers);
  // Filter and records are of one moment: the filter is believed, and nothing has to be filled.
  await index.check();
  expect(lines.map((line) => line.event)).not.toContain('index.filter_lost');
  for (const one of late) await index.add({ profile: p, sha256: one }, rebuilt);
  expect(await index.lookup(p, [...early, ...late])).toEqual([...early, ...late].map(() => rebuilt));
});

test('a user who may do no more than docs/index.md says is enough', async () => {
  const server = await own(await loadBloom());
  await server.start();
  const rights = ['~test:*', '+@read', '+@write', '+@scripting', '+@connection', '+info'];
  const bloom = ['reserve', 'add', 'card', 'exists', 'mexists', 'info'].map((name) => `+bf.${name}`);
  await connect(server.url).redis.call('ACL', 'SETUSER', 'worker', 'on', '>pw', ...rights, ...bloom);
  const { redis, lines } = connect(server.url.replace('//', '//worker:pw@'));
  const [index, locks] = [indexOn(redis), createRedisLocks(redis, { prefix: 'test' })];
  const seen = createRedisSeen(redis, { prefix: 'test' });
  const key = { profile: profile(), sha256: sha256() };
  const files = [{ name: Buffer.from('a'), version: 'v1' }];

  await index.claim(key, 'run', 60_000);
  expect(await Array.fromAsync(locks.list())).toHaveLength(1);
  await index.add(key, rebuilt, 'run');
  await redis.del(redisKeys('test').profile(key.profile).filter);
  await index.check();
  expect(await index.lookup(key.profile, [key.sha256])).toEqual([rebuilt]);
  expect(await index.rebuild(key.profile, records([key.sha256]))).toBe(1);
  await index.forget(key);
  await locks.acquire(key, 'run', 60_000);
  await locks.release(key, 'run');
  await locks.break(key);
  await seen.mark('scan', files);
  await seen.seen('scan', files);
  await seen.forget('scan');
  expect(lines.map((line) => line.event)).toEqual(['index.connected']);
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
