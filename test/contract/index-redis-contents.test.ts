import { expect, test } from '@jest/globals';
import { SCHEMA_VERSION } from '../../drivers/redis/keys.ts';
import { rebuilt, sha256 } from './contents.ts';
import { add, invalid, many, raw, records, useRedisIndex } from './redis-index.ts';

const on = useRedisIndex();

test.each(['', 'done', 'rebuilt', 'rebuilt ', 'rebuilt nowhere', 'maybe s3://clean/', ' s3://clean/'])(
  'the record %j is neither new nor done',
  async (text) => {
    const [good, bad] = [sha256(), sha256()];
    await add(on, good, bad);
    await on.server.redis.hset(on.keys.records, raw(bad), text);
    await expect(on.index.lookup(on.profile, [good, bad])).rejects.toMatchObject(invalid);
    await expect(on.index.lookup(on.profile, [good, bad])).rejects.toThrow(bad);
    await expect(on.index.claim({ profile: on.profile, sha256: bad }, 'run', 60_000)).rejects.toMatchObject(
      invalid,
    );
    expect(await on.index.lookup(on.profile, [good])).toEqual([rebuilt]);
  },
);

test('a record that is no text is neither new nor done', async () => {
  const bad = sha256();
  await add(on, bad);
  await on.server.redis.hset(on.keys.records, raw(bad), Buffer.from('rebuilt s3://\xff/', 'latin1'));
  await expect(on.index.lookup(on.profile, [bad])).rejects.toMatchObject(invalid);
});

test.each(['filter', 'records', 'meta'] as const)(
  'a key of another type in the %s’s place',
  async (place) => {
    const done = sha256();
    await add(on, done);
    await on.server.redis.set(on.keys[place], 'somebody else’s');
    for (const call of [
      () => on.index.lookup(on.profile, [done]),
      () => on.index.claim({ profile: on.profile, sha256: done }, 'run', 60_000),
      () => on.index.add({ profile: on.profile, sha256: sha256() }, rebuilt),
      () => on.index.check(),
    ]) {
      await expect(call()).rejects.toMatchObject(invalid);
      await expect(call()).rejects.toThrow(/another type.*PRISTINE_KEY_PREFIX/);
    }
    await expect(on.index.check()).rejects.toThrow(on.keys[place]);
    expect(await on.server.redis.get(on.keys[place])).toBe('somebody else’s');
  },
);

test('another schema version is not read, not written, and not taken for new', async () => {
  const one = sha256();
  await add(on, one);
  await on.server.redis.hset(on.keys.meta, 'schema', '2');
  for (const call of [
    () => on.index.lookup(on.profile, [one]),
    () => on.index.claim({ profile: on.profile, sha256: sha256() }, 'run', 60_000),
    () => on.index.add({ profile: on.profile, sha256: sha256() }, rebuilt),
    () => on.index.forget({ profile: on.profile, sha256: one }),
    () => on.index.check(),
  ]) {
    await expect(call()).rejects.toMatchObject(invalid);
    await expect(call()).rejects.toThrow(/schema version 2/);
  }
  expect(await on.server.redis.hlen(on.keys.records)).toBe(1);
  expect(await on.server.redis.keys(`${on.server.prefix}:*lock*`)).toEqual([]);

  expect(await on.index.rebuild(on.profile, records([one]))).toBe(1);
  await on.index.check();
  expect(await on.index.lookup(on.profile, [one])).toEqual([rebuilt]);
});

test('the first addition says which schema version this is', async () => {
  await add(on, sha256());
  expect(await on.server.redis.hget(on.keys.meta, 'schema')).toBe(SCHEMA_VERSION);
});

test('one content more is one field more: nothing else is left behind', async () => {
  await add(on, ...many(3));
  await on.index.rebuild(on.profile, records(many(3)));
  await add(on, ...many(2));
  expect(await on.server.redis.hlen(on.keys.records)).toBe(5);
  const left = await on.server.redis.keys(`${on.server.prefix}:*`);
  expect(left.sort()).toEqual([on.keys.filter, on.keys.meta, on.keys.records].sort());
  for (const key of left) expect(await on.server.redis.ttl(key)).toBe(-1);
});
