import { createEtcdIndex } from '../../drivers/etcd/index.ts';
import { createEtcdLocks } from '../../drivers/etcd/locks.ts';
import { createRedisIndex } from '../../drivers/redis/index.ts';
import { createRedisLocks } from '../../drivers/redis/locks.ts';
import { describeIndex } from './describe-index.ts';
import { createFakeIndex } from './fake-index.ts';
import { createFakeLocks } from './fake-locks.ts';
import { newPrefix, startOwnEtcd } from './own-etcd.ts';
import { openTestRedis, recordingLog } from './redis-connection.ts';

describeIndex('in memory', async () => {
  const locks = createFakeLocks();
  return { index: createFakeIndex(locks), locks, close: async () => {} };
});

describeIndex('Redis', async () => {
  const { redis, prefix, close } = await openTestRedis();
  const options = { prefix, capacity: 10_000, errorRate: 0.001, profiles: [], log: recordingLog().log };
  return { index: createRedisIndex(redis, options), locks: createRedisLocks(redis, { prefix }), close };
});

// A filter that says yes to nearly everything changes no answer.
describeIndex('Redis with a filter far too small', async () => {
  const { redis, prefix, close } = await openTestRedis();
  const options = { prefix, capacity: 1, errorRate: 0.9, profiles: [], log: recordingLog().log };
  return { index: createRedisIndex(redis, options), locks: createRedisLocks(redis, { prefix }), close };
});

describeIndex('etcd', async () => {
  const own = await startOwnEtcd();
  const [etcd, prefix] = [own.connect(), newPrefix()];
  const index = createEtcdIndex(etcd, { prefix, profiles: [], log: recordingLog().log });
  return { index, locks: createEtcdLocks(etcd, { prefix }), close: own.close };
});
