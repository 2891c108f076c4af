/** A worker's records and locks in the shared Redis or in `url`, for tests to look at and to take away. */

import type { IndexRecord, LockInfo, ProcessedIndex } from '../../drivers/ports.ts';
import { connectRedis } from '../../drivers/redis/connect.ts';
import { createRedisIndex } from '../../drivers/redis/index.ts';
import { createRedisLocks } from '../../drivers/redis/locks.ts';
import { stackVariable } from '../contract/stack.ts';

const log = { info() {}, warn() {}, error() {}, debug() {} };

type Redis = ReturnType<typeof connectRedis>;

async function withRedis<T>(use: (redis: Redis) => Promise<T>, url = stackVariable('REDIS_URL')): Promise<T> {
  const redis = connectRedis({ url, log });
  try {
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}

const withIndex = <T>(
  prefix: string,
  profile: string,
  use: (index: ProcessedIndex) => Promise<T>,
  url?: string,
) =>
  withRedis(
    (redis) =>
      use(createRedisIndex(redis, { prefix, capacity: 1_000, errorRate: 0.01, profiles: [profile], log })),
    url,
  );

/** One a content, in order; null where there is none. */
export function findRecords(
  prefix: string,
  profile: string,
  sha256s: readonly string[],
  url?: string,
): Promise<(IndexRecord | null)[]> {
  return withIndex(prefix, profile, (index) => index.lookup(profile, sha256s), url);
}

/** Takes these contents out of the index. Their receipts stay. */
export function forgetRecords(prefix: string, profile: string, sha256s: readonly string[]): Promise<void> {
  return withIndex(prefix, profile, async (index) => {
    for (const sha256 of sha256s) await index.forget({ profile, sha256 });
  });
}

export function listLocks(prefix: string): Promise<LockInfo[]> {
  return withRedis((redis) => Array.fromAsync(createRedisLocks(redis, { prefix }).list()));
}
