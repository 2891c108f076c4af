import { createEtcdFileMemory } from '../../drivers/etcd/file-memory.ts';
import { createEtcdIndex } from '../../drivers/etcd/index.ts';
import { createRedisFileMemory } from '../../drivers/redis/file-memory.ts';
import { createRedisIndex } from '../../drivers/redis/index.ts';
import { describeFileMemory } from './describe-file-memory.ts';
import { createFakeFileMemory } from './fake-file-memory.ts';
import { createFakeIndex } from './fake-index.ts';
import { createFakeLocks } from './fake-locks.ts';
import { newPrefix, startOwnEtcd } from './own-etcd.ts';
import { openTestRedis, recordingLog } from './redis-connection.ts';

describeFileMemory('in memory', async () => {
  const index = createFakeIndex(createFakeLocks());
  return { memory: createFakeFileMemory(index), index, close: async () => {} };
});

describeFileMemory('Redis', async () => {
  const { redis, prefix, close } = await openTestRedis();
  const { log } = recordingLog();
  const index = createRedisIndex(redis, { prefix, capacity: 10_000, errorRate: 0.001, profiles: [], log });
  return { memory: createRedisFileMemory(redis, { prefix }), index, close };
});

describeFileMemory('etcd', async () => {
  const own = await startOwnEtcd();
  const { log } = recordingLog();
  const [etcd, prefix] = [own.connect(), newPrefix()];
  const index = createEtcdIndex(etcd, { prefix, profiles: [], log });
  return { memory: createEtcdFileMemory(etcd, { prefix, index }), index, close: own.close };
});
