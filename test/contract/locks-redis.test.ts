import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { redisKeys } from '../../drivers/redis/keys.ts';
import { createRedisLocks } from '../../drivers/redis/locks.ts';
import { sha256 } from './contents.ts';
import { countCommands } from './count-commands.ts';
import { openTestRedis, type TestRedis } from './redis-connection.ts';

let server: TestRedis;
beforeEach(async () => {
  server = await openTestRedis();
});
afterEach(() => server.close());

const content = () => ({ profile: 'p1', sha256: sha256() });

test('of twenty racers on connections of their own one wins', async () => {
  const key = content();
  const racers = await Promise.all(Array.from({ length: 20 }, () => openTestRedis()));
  try {
    const won = await Promise.all(
      racers.map(({ redis }, i) => createRedisLocks(redis, server).acquire(key, `racer-${i}`, 60_000)),
    );
    expect(won.filter(Boolean)).toHaveLength(1);
  } finally {
    await Promise.all(racers.map((racer) => racer.close()));
  }
});

test('each step is one command, and no lock lives for ever', async () => {
  const locks = createRedisLocks(server.redis, server);
  const key = content();
  const life = () => server.redis.pttl(redisKeys(server.prefix).lock(key));
  expect(await countCommands(server, () => locks.acquire(key, 'a', 60_000))).toBe(1);
  expect(await life()).toBeGreaterThan(0);
  expect(await countCommands(server, () => locks.acquire(key, 'a', 60_000))).toBe(1);
  expect(await life()).toBeGreaterThan(0);
  expect(await countCommands(server, () => locks.release(key, 'a'))).toBe(1);
  expect(await life()).toBe(-2);
});

test('something else in a lock’s place is an error, neither held nor free', async () => {
  const locks = createRedisLocks(server.redis, server);
  const key = content();
  const place = redisKeys(server.prefix).lock(key);
  await server.redis.hset(place, 'a', 'b');
  const invalid = { code: 'index.invalid', retryable: false };
  await expect(locks.acquire(key, 'a', 60_000)).rejects.toMatchObject(invalid);
  await expect(locks.release(key, 'a')).rejects.toMatchObject(invalid);
  await expect(Array.fromAsync(locks.list())).rejects.toMatchObject(invalid);
});

test('two installations on one Redis do not see each other’s locks', async () => {
  const key = content();
  const [one, two] = ['a', 'b'].map((name) =>
    createRedisLocks(server.redis, { prefix: `${server.prefix}:${name}` }),
  );
  expect(await one?.acquire(key, 'owner', 60_000)).toBe(true);
  expect(await two?.acquire(key, 'other', 60_000)).toBe(true);
  const owners = async (locks = one) =>
    (await Array.fromAsync(locks?.list() ?? [])).map((lock) => lock.owner);
  expect(await owners(one)).toEqual(['owner']);
  expect(await owners(two)).toEqual(['other']);
});
