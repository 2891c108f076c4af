/** Index, locks, seen files and what is remembered of files, on the store that the configuration names. */
import { connectEtcd } from '../drivers/etcd/connect.ts';
import { createEtcdFileMemory } from '../drivers/etcd/file-memory.ts';
import { createEtcdIndex } from '../drivers/etcd/index.ts';
import { createEtcdLocks } from '../drivers/etcd/locks.ts';
import { createEtcdSeen } from '../drivers/etcd/seen.ts';
import type { Logger } from '../drivers/events.ts';
import type { FileMemory, Locks, ProcessedIndex, SeenFiles } from '../drivers/ports.ts';
import { profileFingerprint } from '../drivers/profile.ts';
import { closeRedis, connectRedis } from '../drivers/redis/connect.ts';
import { createRedisFileMemory } from '../drivers/redis/file-memory.ts';
import { createRedisIndex } from '../drivers/redis/index.ts';
import { createRedisLocks } from '../drivers/redis/locks.ts';
import { createRedisSeen } from '../drivers/redis/seen.ts';
import type { WorkerConfig } from './config.ts';

export type OpenIndex = {
  index: ProcessedIndex;
  locks: Locks;
  seen: SeenFiles;
  memory: FileMemory;
  /** Fingerprints of the configured profiles, which the index's check looks at. */
  profiles: readonly string[];
  close(): Promise<void>;
};

/** Nothing is contacted yet: the index's check tells. Throws config.invalid, as where a TLS file can't be read. */
export function openIndex(config: WorkerConfig, log: Logger): OpenIndex {
  const profiles = Object.values(config.profiles).map(profileFingerprint);
  if (config.indexStore === 'etcd') {
    const prefix = config.etcd.keyPrefix;
    const etcd = connectEtcd({ ...config.etcd, log });
    const index = createEtcdIndex(etcd, { prefix, profiles, log });
    return {
      index,
      locks: createEtcdLocks(etcd, { prefix }),
      seen: createEtcdSeen(etcd, { prefix }),
      memory: createEtcdFileMemory(etcd, { prefix, index }),
      profiles,
      close: async () => etcd.close(),
    };
  }
  const prefix = config.redis.keyPrefix;
  const redis = connectRedis({ ...config.redis, log });
  return {
    index: createRedisIndex(redis, { prefix, ...config.bloom, profiles, log }),
    locks: createRedisLocks(redis, { prefix }),
    seen: createRedisSeen(redis, { prefix }),
    memory: createRedisFileMemory(redis, { prefix }),
    profiles,
    close: () => closeRedis(redis),
  };
}
