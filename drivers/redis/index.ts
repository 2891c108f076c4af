/** Port ProcessedIndex on Redis: a Bloom filter in front of exact records. See keys.ts for what lies where. */
import { z } from 'zod';
import type { Logger } from '../events.ts';
import { formatRecord, parseRecord } from '../index-record.ts';
import { checkedOwner, checkedTtl } from '../lock-terms.ts';
import type { ProcessedIndex } from '../ports.ts';
import type { RedisConnection } from './cluster.ts';
import { createIndexCheck } from './index-check.ts';
import { rebuildIndex } from './index-rebuild.ts';
import { rawSha256, redisKeys, SCHEMA_VERSION } from './keys.ts';
import { loadScripts } from './scripts.ts';

export type RedisIndexOptions = {
  /** Prefix of every key; sets installations apart. */
  prefix: string;
  /** Items that a new filter is reserved for; past that it grows by layers, which cost a probe each. */
  capacity: number;
  /** Share of unseen contents that cost an exact look-up, between 0 and 1. */
  errorRate: number;
  /** Fingerprints of the profiles that check() looks at, besides those used since the start. */
  profiles: readonly string[];
  log: Logger;
};

const done = z.literal(1);
const count = z.int().nonnegative();
const claim = z.union([z.string(), z.literal(0), z.literal(1)]);

/** Throws index.unavailable when Redis is away, index.invalid when what it holds is not ours or not readable. */
export function createRedisIndex(redis: RedisConnection, options: RedisIndexOptions): ProcessedIndex {
  const run = loadScripts(redis);
  const keys = redisKeys(options.prefix);
  const filterSize = [String(options.errorRate), String(options.capacity)];
  const profiles = new Set(options.profiles);
  const check = createIndexCheck({ run, keys, filterSize, log: options.log });
  const keysOf = (profile: string) => {
    const ofProfile = keys.profile(profile);
    profiles.add(profile);
    return ofProfile;
  };

  return {
    check: () => check([...profiles]),

    async lookup(profile, sha256s) {
      const at = keysOf(profile);
      if (sha256s.length === 0) return [];
      const found = await run('lookup', {
        keys: [at.filter, at.records, at.meta],
        args: [SCHEMA_VERSION, ...sha256s.map(rawSha256)],
        place: at.pattern,
        answer: z.array(z.string().nullable()).length(sha256s.length),
      });
      return sha256s.map((sha256, i) => {
        const record = found[i];
        return record == null ? null : parseRecord(record, sha256);
      });
    },

    async claim(key, owner, ttlMs) {
      const at = keysOf(key.profile);
      const answer = await run('claim', {
        keys: [at.filter, at.records, at.meta, keys.lock(key)],
        args: [SCHEMA_VERSION, rawSha256(key.sha256), checkedOwner(owner), checkedTtl(ttlMs)],
        place: at.pattern,
        answer: claim,
      });
      if (typeof answer === 'string') return { kind: 'done', record: parseRecord(answer, key.sha256) };
      return { kind: answer === 1 ? 'claimed' : 'held' };
    },

    async add(key, record, unlockOwner) {
      const at = keysOf(key.profile);
      const building = [at.build, at.nextFilter, at.nextRecords];
      await run('add', {
        keys: [at.filter, at.records, at.meta, keys.lock(key), ...building],
        args: [SCHEMA_VERSION, rawSha256(key.sha256), formatRecord(record), unlockOwner ?? '', ...filterSize],
        place: at.pattern,
        answer: done,
      });
    },

    async forget(key) {
      const at = keysOf(key.profile);
      await run('forget', {
        keys: [at.records, at.meta, at.build, at.nextRecords, at.nextForgotten],
        args: [SCHEMA_VERSION, rawSha256(key.sha256)],
        place: at.pattern,
        answer: count,
      });
    },

    async rebuild(profile, records) {
      return rebuildIndex({ run, keys: keysOf(profile), filterSize, log: options.log }, profile, records);
    },
  };
}
