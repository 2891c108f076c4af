/** A Redis index with what its tests look at from below; a fresh one for each test of the file. */
import { afterEach, beforeEach } from '@jest/globals';
import type { EventName } from '../../drivers/events.ts';
import type { IndexClaim, ProcessedIndex } from '../../drivers/ports.ts';
import { createRedisIndex } from '../../drivers/redis/index.ts';
import { type ProfileKeys, redisKeys } from '../../drivers/redis/keys.ts';
import { profile as newProfile, rebuilt, sha256 } from './contents.ts';
import { openTestRedis, recordingLog, type TestRedis } from './redis-connection.ts';

export type RedisIndexUnderTest = {
  server: TestRedis;
  index: ProcessedIndex;
  profile: string;
  keys: ProfileKeys;
  events: () => (EventName | undefined)[];
};

export const raw = (hex: string) => Buffer.from(hex, 'hex');
export const many = (count: number) => Array.from({ length: count }, sha256);
export const invalid = { name: 'DriverError', code: 'index.invalid', retryable: false };

/** `on` is filled in before each test. */
export function useRedisIndex(): RedisIndexUnderTest {
  // Nothing reads it before beforeEach has run.
  const on = {} as RedisIndexUnderTest;
  beforeEach(async () => {
    const server = await openTestRedis();
    const { prefix, redis } = server;
    const { log, lines } = recordingLog();
    const profile = newProfile();
    Object.assign(on, {
      server,
      profile,
      keys: redisKeys(prefix).profile(profile),
      events: () => lines.map((line) => line.event),
      index: createRedisIndex(redis, { prefix, capacity: 10_000, errorRate: 0.001, profiles: [], log }),
    });
  });
  afterEach(() => on.server.close());
  return on;
}

export async function add({ index, profile }: RedisIndexUnderTest, ...contents: string[]): Promise<void> {
  for (const one of contents) await index.add({ profile, sha256: one }, rebuilt);
}

export function claim({ index, profile }: RedisIndexUnderTest, sha256 = ''): Promise<IndexClaim> {
  return index.claim({ profile, sha256 }, 'run', 60_000);
}

/**
 * Whether the filter's no is an answer. It is asked about records that it does not know: one that is asked
 * misses one of these, whatever its false positives.
 */
export async function believed({ server, index, profile, keys }: RedisIndexUnderTest): Promise<boolean> {
  const unknownToFilter = many(4);
  for (const one of unknownToFilter) await server.redis.hset(keys.records, raw(one), 'rebuilt s3://clean/');
  const found = await index.lookup(profile, unknownToFilter);
  await server.redis.hdel(keys.records, ...unknownToFilter.map(raw));
  return found.includes(null);
}

export async function* records(contents: readonly string[]) {
  for (const one of contents) yield { sha256: one, record: rebuilt };
}
