/** Port Locks on Redis: one string per content, its value the owner, with a time to live. */
import { z } from 'zod';
import { checkedOwner, checkedTtl } from '../lock-terms.ts';
import type { ContentKey, LockInfo, Locks } from '../ports.ts';
import { mastersOf, type RedisConnection } from './cluster.ts';
import { redisKeys } from './keys.ts';
import { fromRedis } from './redis-error.ts';
import { loadScripts, type ScriptName } from './scripts.ts';

const SCAN_PAGE = 500;

/** Throws index.unavailable when Redis is away, index.invalid when something else has a lock's place. */
export function createRedisLocks(redis: RedisConnection, options: { prefix: string }): Locks {
  const run = loadScripts(redis);
  const keys = redisKeys(options.prefix);

  return {
    acquire: async (key, owner, ttlMs) => owns('acquire-lock', key, [checkedOwner(owner), checkedTtl(ttlMs)]),
    release: async (key, owner) => owns('release-lock', key, [checkedOwner(owner)]),

    async *list() {
      // SCAN can name a key twice, and so can two masters while one hands it to the other.
      const named = new Set<string>();
      for (const master of await fromRedis(mastersOf(redis), keys.lockPattern)) {
        let cursor = '0';
        do {
          const scan = master.scan(cursor, 'MATCH', keys.lockPattern, 'COUNT', SCAN_PAGE);
          const [next, page] = await fromRedis(scan, keys.lockPattern);
          cursor = next;
          const fresh = page.filter((redisKey) => !named.has(redisKey));
          for (const redisKey of fresh) named.add(redisKey);
          yield* await fromRedis(readLocks(fresh), keys.lockPattern);
        } while (cursor !== '0');
      }
    },
    async break(key) {
      const lock = keys.lock(key);
      return (await fromRedis(redis.del(lock), lock)) === 1;
    },
  };

  async function owns(script: ScriptName, key: ContentKey, args: (string | number)[]): Promise<boolean> {
    const lock = keys.lock(key);
    return (await run(script, { keys: [lock], args, place: lock, answer: z.int() })) === 1;
  }

  async function readLocks(redisKeysOfPage: readonly string[]): Promise<LockInfo[]> {
    const read = redisKeysOfPage.map(async (redisKey): Promise<LockInfo[]> => {
      const key = keys.parseLock(redisKey);
      if (key === null) return [];
      const [owner, ttlMs] = await Promise.all([redis.get(redisKey), redis.pttl(redisKey)]);
      // Freed since SCAN named it.
      return owner === null || ttlMs === -2 ? [] : [{ key, owner, ttlMs }];
    });
    return (await Promise.all(read)).flat();
  }
}
