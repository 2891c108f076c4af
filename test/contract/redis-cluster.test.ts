/** Every contract on a real Redis Cluster of three masters. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { closeRedis, connectRedis } from '../../drivers/redis/connect.ts';
import { createRedisFileMemory } from '../../drivers/redis/file-memory.ts';
import { createRedisIndex } from '../../drivers/redis/index.ts';
import { redisKeys } from '../../drivers/redis/keys.ts';
import { createRedisLocks } from '../../drivers/redis/locks.ts';
import { createRedisSeen } from '../../drivers/redis/seen.ts';
import { MINUTE, profile, rebuilt, sha256 } from './contents.ts';
import { describeFileMemory } from './describe-file-memory.ts';
import { describeIndex } from './describe-index.ts';
import { describeLocks } from './describe-locks.ts';
import { describeSeen } from './describe-seen.ts';
import { eventually } from './eventually.ts';
import { type OwnRedisCluster, startRedisCluster } from './own-redis-cluster.ts';
import { recordingLog } from './redis-connection.ts';
import { stackVariable } from './stack.ts';

// Calls wait for some redirections before they give up.
jest.setTimeout(120_000);

let cluster: OwnRedisCluster;
beforeAll(async () => {
  cluster = await startRedisCluster();
});
afterAll(() => cluster?.close());

const open = (more: { url?: string; cluster?: boolean } = {}) => {
  const { log, lines } = recordingLog();
  const prefix = `test-${randomUUID()}`;
  const redis = connectRedis({ url: cluster.url, ...more, log, commandTimeoutMs: 3000 });
  return {
    index: createRedisIndex(redis, { prefix, capacity: 10_000, errorRate: 0.001, profiles: [], log }),
    locks: createRedisLocks(redis, { prefix }),
    seen: createRedisSeen(redis, { prefix }),
    memory: createRedisFileMemory(redis, { prefix }),
    prefix,
    lines,
    close: () => closeRedis(redis),
  };
};

describeIndex('Redis Cluster', async () => open());
describeLocks('Redis Cluster', async () => open());
describeSeen('Redis Cluster', async () => open());
describeFileMemory('Redis Cluster', async () => open());

test('one node and the word are enough', async () => {
  const { index, close } = open({ url: cluster.url.split(',')[1] ?? '', cluster: true });
  // Of twenty profiles some lie on each master.
  for (let i = 0; i < 20; i++) {
    const key = { profile: profile(), sha256: sha256() };
    await index.add(key, rebuilt);
    expect(await index.lookup(key.profile, [key.sha256])).toEqual([rebuilt]);
  }
  await close();
});

test('a master killed: unavailable, never new, done or free; back: all goes on', async () => {
  const { index, locks, prefix, close } = open();
  const key = { profile: profile(), sha256: sha256() };
  const lock = { ...key, sha256: sha256() };
  await index.add(key, rebuilt);
  await locks.acquire(lock, 'run-1', 10 * MINUTE);
  const holder = await cluster.holderOf(redisKeys(prefix).lock(lock));

  await holder.kill();
  const calls = await Promise.allSettled([
    index.lookup(key.profile, [key.sha256]),
    index.claim(key, 'run-2', MINUTE),
    index.claim(lock, 'run-2', MINUTE),
    locks.acquire(lock, 'run-2', MINUTE),
    Array.fromAsync(locks.list()),
    index.check(),
  ]);
  for (const call of calls) {
    expect(call).toMatchObject({
      status: 'rejected',
      reason: { name: 'DriverError', code: 'index.unavailable', retryable: true },
    });
  }

  await holder.start();
  expect(await eventually(() => index.lookup(key.profile, [key.sha256]))).toEqual([rebuilt]);
  expect(await eventually(() => index.claim(lock, 'run-2', MINUTE))).toEqual({ kind: 'held' });
  expect(await eventually(() => Array.fromAsync(locks.list()))).toMatchObject([{ owner: 'run-1' }]);
  await close();
});

test('a wrong password is said, and not what it was', async () => {
  const { index, lines, close } = open({
    url: cluster.url.replaceAll('cluster-password', 's3cret-and-wrong'),
  });
  await expect(index.check()).rejects.toMatchObject({ code: 'index.unavailable', retryable: true });
  await expect(index.check()).rejects.toThrow(/user or password/);
  expect(JSON.stringify(lines)).toContain('WRONGPASS');
  expect(JSON.stringify(lines)).not.toContain('s3cret');
  await close();
});

test('one server of a Cluster, taken for a single one, and the reverse', async () => {
  const single = open({ url: cluster.url.split(',')[0] ?? '' });
  const answers = await Promise.allSettled(
    Array.from({ length: 20 }, () => single.index.lookup(profile(), [sha256()])),
  );
  // Some profiles lie on another master.
  expect(answers).toContainEqual({
    status: 'rejected',
    reason: expect.objectContaining({ message: expect.stringMatching(/REDIS_CLUSTER/) }),
  });
  await single.close();

  const alone = open({ url: stackVariable('REDIS_URL'), cluster: true });
  await expect(alone.index.check()).rejects.toThrow(/no Cluster/);
  await alone.close();
});
