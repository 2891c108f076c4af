import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { redisKeys } from '../../drivers/redis/keys.ts';
import { createRedisSeen } from '../../drivers/redis/seen.ts';
import { openTestRedis, type TestRedis } from './redis-connection.ts';

let server: TestRedis;
beforeEach(async () => {
  server = await openTestRedis();
});
afterEach(() => server.close());

const files = [{ name: Buffer.from('report.pdf'), version: 'v1' }];

test('what a scan marked outlives a week of silence at most, and asking renews it', async () => {
  const seen = createRedisSeen(server.redis, { prefix: server.prefix, keepSeconds: 1000 });
  const key = redisKeys(server.prefix).seen('scan-1');
  await seen.mark('scan-1', files);
  const life = await server.redis.ttl(key);
  expect(life).toBeGreaterThan(0);
  expect(life).toBeLessThanOrEqual(1000);
  await server.redis.expire(key, 10);
  await seen.seen('scan-1', files);
  expect(await server.redis.ttl(key)).toBeGreaterThan(10);
});

test('asking about an unknown scan leaves nothing behind', async () => {
  const seen = createRedisSeen(server.redis, server);
  await seen.seen('scan-1', files);
  expect(await server.redis.exists(redisKeys(server.prefix).seen('scan-1'))).toBe(0);
});

test('no name lies in Redis', async () => {
  const seen = createRedisSeen(server.redis, server);
  await seen.mark('scan-1', files);
  const fields = await server.redis.hgetallBuffer(redisKeys(server.prefix).seen('scan-1'));
  expect(Object.keys(fields)).toHaveLength(1);
  const [field = ''] = await server.redis.hkeys(redisKeys(server.prefix).seen('scan-1'));
  expect(field).not.toContain('report');
  expect(await server.redis.hstrlen(redisKeys(server.prefix).seen('scan-1'), field)).toBeLessThanOrEqual(8);
});

test('something else in its place is an error, not unseen', async () => {
  const seen = createRedisSeen(server.redis, server);
  await server.redis.set(redisKeys(server.prefix).seen('scan-1'), 'x');
  const invalid = { code: 'index.invalid', retryable: false };
  await expect(seen.seen('scan-1', files)).rejects.toMatchObject(invalid);
  await expect(seen.mark('scan-1', files)).rejects.toMatchObject(invalid);
});
