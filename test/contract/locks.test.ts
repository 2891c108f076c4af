import { createEtcdLocks } from '../../drivers/etcd/locks.ts';
import { createRedisLocks } from '../../drivers/redis/locks.ts';
import { describeLocks } from './describe-locks.ts';
import { createFakeLocks } from './fake-locks.ts';
import { newPrefix, startOwnEtcd } from './own-etcd.ts';
import { openTestRedis } from './redis-connection.ts';

describeLocks('in memory', async () => ({ locks: createFakeLocks(), close: async () => {} }));

describeLocks('Redis', async () => {
  const { redis, prefix, close } = await openTestRedis();
  return { locks: createRedisLocks(redis, { prefix }), close };
});

describeLocks('etcd', async () => {
  const own = await startOwnEtcd();
  return { locks: createEtcdLocks(own.connect(), { prefix: newPrefix() }), close: own.close };
});
