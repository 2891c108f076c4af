/** Redis for tests: the one `make up` started, under a key prefix of the test's own. */
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { bloomOf } from '../../cluster/own-servers/own-redis.ts';
import type { LogFields, Logger } from '../../drivers/events.ts';
import { closeRedis, connectRedis, type RedisConnectionOptions } from '../../drivers/redis/connect.ts';
import { stackVariable } from './stack.ts';

export type TestRedis = {
  redis: Redis;
  prefix: string;
  /** Deletes every key under the prefix. */
  flush(): Promise<void>;
  close(): Promise<void>;
};

/** Fails where there is no server: a test that needs one is not skipped. */
export async function openTestRedis(url = stackVariable('REDIS_URL')): Promise<TestRedis> {
  const redis = connectOne({ url, log: recordingLog().log });
  const prefix = `test-${randomUUID()}`;
  const flush = async () => {
    let cursor = '0';
    do {
      const [next, keys] = await redis.scan(cursor, 'MATCH', `${prefix}:*`, 'COUNT', 1000);
      cursor = next;
      if (keys.length > 0) await redis.unlink(...keys);
    } while (cursor !== '0');
  };
  const close = async () => {
    await flush();
    await closeRedis(redis);
  };
  await redis.ping().catch(async (cause: unknown) => {
    redis.disconnect();
    throw new Error('No Redis answers at REDIS_URL: run `make up` first', { cause });
  });
  return { redis, prefix, flush, close };
}

/** The Bloom module that the one `make up` started has loaded, as options of redis-server. */
export function loadBloom(): Promise<string[]> {
  return bloomOf(stackVariable('REDIS_URL'));
}

/** A connection to one server. */
export function connectOne(options: RedisConnectionOptions & { url: string }): Redis {
  const redis = connectRedis(options);
  if (redis instanceof Redis) return redis;
  throw new TypeError('Not a URL of one server');
}

/** A logger that remembers what it was told. */
export function recordingLog(): { log: Logger; lines: (LogFields & { message: string })[] } {
  const lines: (LogFields & { message: string })[] = [];
  const record = (fields: LogFields, message: string) => {
    lines.push({ ...fields, message });
  };
  return { log: { debug: record, info: record, warn: record, error: record }, lines };
}
