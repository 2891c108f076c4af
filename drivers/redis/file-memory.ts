/** Port FileMemory on Redis: one hash a profile, pair of places and period, in the profile's slot. */
import { z } from 'zod';
import { formatNote, PERIOD_SECONDS, parseNote, periodsAt, placeHash } from '../file-note.ts';
import { parseRecord } from '../index-record.ts';
import type { FileMemory, MemoryPlace } from '../ports.ts';
import { nameHash } from '../seen-mark.ts';
import type { RedisConnection } from './cluster.ts';
import { redisKeys, SCHEMA_VERSION } from './keys.ts';
import { fromRedis } from './redis-error.ts';
import { loadScripts } from './scripts.ts';

export type RedisFileMemoryOptions = {
  prefix: string;
  /** Seconds of a period: notes that nobody asks for are kept for one to two of them. Default: 45 days. */
  periodSeconds?: number;
  now?: () => number;
};

const bytes = z.instanceof(Buffer).nullable();

/** Throws index.unavailable when Redis is away, index.invalid when something else has a key's place. */
export function createRedisFileMemory(redis: RedisConnection, options: RedisFileMemoryOptions): FileMemory {
  const run = loadScripts(redis);
  const keys = redisKeys(options.prefix);
  const { periodSeconds = PERIOD_SECONDS, now = Date.now } = options;
  const keysOf = (place: MemoryPlace) => {
    const { current, last, keepSeconds } = periodsAt(now(), periodSeconds);
    const key = (period: number) => keys.files(place.profile, placeHash(place), period);
    return { current: key(current), last: key(last), keepSeconds };
  };

  return {
    async recall(place, files) {
      if (files.length === 0) return [];
      const { current, last, keepSeconds } = keysOf(place);
      const { records, meta, pattern } = keys.profile(place.profile);
      const found = await run('recall', {
        keys: [current, last, records, meta],
        args: [SCHEMA_VERSION, keepSeconds, ...files.map(({ name }) => nameHash(name))],
        place: pattern,
        answer: z.array(bytes).length(2 * files.length),
        binary: true,
      });
      return files.map(({ version }, i) => {
        const note = parseNote(found[2 * i], version);
        const record = found[2 * i + 1]?.toString();
        return note && { ...note, record: record === undefined ? null : parseRecord(record, note.sha256) };
      });
    },

    async remember(place, notes) {
      if (notes.length === 0) return;
      const { current, keepSeconds } = keysOf(place);
      const pairs = notes.flatMap((note) => [nameHash(note.name), formatNote(note)]);
      // Sent together: one round trip.
      await Promise.all([
        fromRedis(redis.hset(current, ...pairs), current),
        fromRedis(redis.expire(current, keepSeconds), current),
      ]);
    },
  };
}
