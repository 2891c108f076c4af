/** Port SeenFiles on Redis: one hash per scan. Short hashes keep a million files at about 100 MB. */
import type { SeenFiles } from '../ports.ts';
import { formatMark, nameHash, parseMark } from '../seen-mark.ts';
import type { RedisConnection } from './cluster.ts';
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
export function createRedisSeen(redis: RedisConnection, options: RedisSeenOptions): SeenFiles {
  const keys = redisKeys(options.prefix);
  const keepSeconds = options.keepSeconds ?? KEEP_SECONDS;

  return {
    async seen(scan, files) {
      if (files.length === 0) return [];
      const key = keys.seen(scan);
      // Sent together: one round trip. EXPIRE on a missing key does nothing.
      const [marked] = await Promise.all([
        fromRedis(redis.hmgetBuffer(key, ...files.map((file) => nameHash(file.name))), key),
        fromRedis(redis.expire(key, keepSeconds), key),
      ]);
      return files.map((file, i) => parseMark(marked[i], file.version));
    },
    async mark(scan, files) {
      if (files.length === 0) return;
      const key = keys.seen(scan);
      const pairs = files.flatMap((file) => [nameHash(file.name), formatMark(file)]);
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
