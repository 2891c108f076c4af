import { createEtcdSeen } from '../../drivers/etcd/seen.ts';
import { createRedisSeen } from '../../drivers/redis/seen.ts';
import { describeSeen } from './describe-seen.ts';
import { createFakeSeen } from './fake-seen.ts';
import { newPrefix, startOwnEtcd } from './own-etcd.ts';
import { openTestRedis } from './redis-connection.ts';

describeSeen('in memory', async () => ({ seen: createFakeSeen(), close: async () => {} }));

describeSeen('Redis', async () => {
  const { redis, prefix, close } = await openTestRedis();
  return { seen: createRedisSeen(redis, { prefix }), close };
});

describeSeen('etcd', async () => {
  const own = await startOwnEtcd();
  return { seen: createEtcdSeen(own.connect(), { prefix: newPrefix() }), close: own.close };
});
