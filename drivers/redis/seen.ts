/** Port SeenFiles on Redis: one hash per scan. Short hashes keep a million files at about 100 MB. */
import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { NameBytes, SeenFiles } from '../ports.ts';
import { redisKeys } from './keys.ts';
import { fromRedis } from './redis-error.ts';

/** A scan that was terminated forgets nothing itself; one that goes on renews this with every page. */
const KEEP_SECONDS = 7 * 24 * 3600;

export type RedisSeenOptions = {
  prefix: string;
  /** Seconds that a scan which neither asks nor marks is remembered for. Default: a week. */
  keepSeconds?: number;
};

/** Throws index.unavailable when Redis is away, index.invalid when something else has the key's place. */
export function createRedisSeen(redis: Redis, options: RedisSeenOptions): SeenFiles {
  const keys = redisKeys(options.prefix);
  const keepSeconds = options.keepSeconds ?? KEEP_SECONDS;

  return {
    async seen(scan, files) {
      if (files.length === 0) return [];
      const key = keys.seen(scan);
      // Sent together: one round trip. EXPIRE on a missing key does nothing.
      const [marked] = await Promise.all([
        fromRedis(redis.hmgetBuffer(key, ...files.map((file) => nameField(file.name))), key),
        fromRedis(redis.expire(key, keepSeconds), key),
      ]);
      return files.map((file, i) => marked[i]?.equals(versionValue(file.version)) ?? false);
    },
    async mark(scan, files) {
      if (files.length === 0) return;
      const key = keys.seen(scan);
      const pairs = files.flatMap((file) => [nameField(file.name), versionValue(file.version)]);
      await Promise.all([
        fromRedis(redis.hset(key, ...pairs), key),
        fromRedis(redis.expire(key, keepSeconds), key),
      ]);
    },
    async forget(scan) {
      const key = keys.seen(scan);
      await fromRedis(redis.unlink(key), key);
    },
  };
}

/** 16 bytes: among a million names, two are alike with odds of 1 in 10^26. */
function nameField(name: NameBytes): Buffer {
  return createHash('sha256').update(name).digest().subarray(0, 16);
}

/** 8 bytes: a change goes unnoticed with odds of 1 in 10^19. */
function versionValue(version: string): Buffer {
  return createHash('sha256').update(version).digest().subarray(0, 8);
}
