import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { EVENT } from '../../drivers/events.ts';
import type { ProcessedIndex } from '../../drivers/ports.ts';
import { createRedisIndex } from '../../drivers/redis/index.ts';
import { redisKeys } from '../../drivers/redis/keys.ts';
import { createRedisLocks } from '../../drivers/redis/locks.ts';
import { profile as newProfile, rebuilt, sha256 } from './describe-index.ts';
import { countCommands, openTestRedis, recordingLog, type TestRedis } from './redis-connection.ts';

const raw = (hex: string) => Buffer.from(hex, 'hex');
const invalid = { name: 'DriverError', code: 'index.invalid', retryable: false };

let server: TestRedis;
let index: ProcessedIndex;
let profile: string;
let keys: ReturnType<ReturnType<typeof redisKeys>['profile']>;
let lines: ReturnType<typeof recordingLog>['lines'];
const events = () => lines.map((line) => line.event);

beforeEach(async () => {
  server = await openTestRedis();
  profile = newProfile();
  keys = redisKeys(server.prefix).profile(profile);
  const recording = recordingLog();
  lines = recording.lines;
  index = makeIndex(10_000);
  function makeIndex(capacity: number) {
    const { redis, prefix } = server;
    return createRedisIndex(redis, { prefix, capacity, errorRate: 0.001, profiles: [], log: recording.log });
  }
});
afterEach(() => server.close());

const add = async (...contents: string[]) => {
  for (const one of contents) await index.add({ profile, sha256: one }, rebuilt);
};
const many = (count: number) => Array.from({ length: count }, sha256);
/** A record that the filter does not know: found only where the filter is not believed. */
const plantRecord = (one: string) => server.redis.hset(keys.records, raw(one), 'rebuilt s3://clean/');
const believed = async () => {
  const unknownToFilter = sha256();
  await plantRecord(unknownToFilter);
  const [found] = await index.lookup(profile, [unknownToFilter]);
  await server.redis.hdel(keys.records, raw(unknownToFilter));
  return found === null;
};

describe('the filter', () => {
  test('a false positive of the filter is new', async () => {
    const [done, planted] = [sha256(), sha256()];
    await add(done);
    await server.redis.call('BF.ADD', keys.filter, raw(planted));
    expect(await index.lookup(profile, [planted, done])).toEqual([null, rebuilt]);
  });

  test('a no of a filter that is whole is believed', async () => {
    await add(sha256());
    expect(await believed()).toBe(true);
  });

  test('gone while the records are there: these answer, also after additions, until check fills it', async () => {
    const done = many(1300);
    await add(...done);
    await server.redis.del(keys.filter);
    expect(await index.lookup(profile, done)).toEqual(done.map(() => rebuilt));

    const later = sha256();
    await add(later);
    expect(await believed()).toBe(false);
    expect(await index.lookup(profile, [...done, later])).toEqual([...done, later].map(() => rebuilt));

    await index.check();
    expect(events()).toEqual([EVENT.indexFilterLost, EVENT.indexFilterFilled]);
    expect(await believed()).toBe(true);
    expect(await index.lookup(profile, [...done, later])).toEqual([...done, later].map(() => rebuilt));
    await index.check();
    expect(events()).toHaveLength(2);
  });

  test('older than the records: these answer until check fills it', async () => {
    const [before, after] = [many(20), many(20)];
    await add(...before);
    const old = await server.redis.dumpBuffer(keys.filter);
    await add(...after);
    await server.redis.restore(keys.filter, 0, old, 'REPLACE');

    expect(await believed()).toBe(false);
    expect(await index.lookup(profile, after)).toEqual(after.map(() => rebuilt));
    await index.check();
    expect(events()).toEqual([EVENT.indexFilterLost, EVENT.indexFilterFilled]);
    expect(await believed()).toBe(true);
    expect(await index.lookup(profile, [...before, ...after])).toEqual(
      [...before, ...after].map(() => rebuilt),
    );
  });

  test('its meta gone: the records answer until check has filled it', async () => {
    const done = many(5);
    await add(...done);
    await server.redis.del(keys.meta, keys.filter);
    await add(done[0] ?? '');
    expect(await index.lookup(profile, done)).toEqual(done.map(() => rebuilt));
    expect(await believed()).toBe(false);
    await index.check();
    expect(await believed()).toBe(true);
    expect(await index.lookup(profile, done)).toEqual(done.map(() => rebuilt));
  });

  test('lost again while it is filled: that check fails and the next one fills it', async () => {
    const done = many(1300);
    await add(...done);
    await server.redis.del(keys.filter);
    const filling = index.check();
    const lost = (async () => {
      while ((await server.redis.exists(keys.filter)) === 0);
      await server.redis.del(keys.filter);
    })();
    const [ended] = await Promise.allSettled([filling, lost]);
    if (ended.status === 'rejected') {
      expect(ended.reason).toMatchObject({ code: 'index.unavailable', retryable: true });
    }
    expect(await index.lookup(profile, done)).toEqual(done.map(() => rebuilt));
    await index.check();
    expect(await believed()).toBe(true);
    expect(await index.lookup(profile, done)).toEqual(done.map(() => rebuilt));
  });

  test('the records gone, the filter kept: all is new', async () => {
    const done = many(3);
    await add(...done);
    await server.redis.del(keys.records);
    expect(await index.lookup(profile, done)).toEqual([null, null, null]);
    await index.check();
  });

  test('everything gone: all is new, and work goes on', async () => {
    const done = many(3);
    await add(...done);
    await server.flush();
    await index.check();
    expect(await index.lookup(profile, done)).toEqual([null, null, null]);
    await add(...done);
    expect(await index.lookup(profile, done)).toEqual(done.map(() => rebuilt));
    expect(await believed()).toBe(true);
  });

  test('past its capacity it grows, goes on, and check says so once', async () => {
    const { log, lines: own } = recordingLog();
    const options = { prefix: server.prefix, capacity: 10, errorRate: 0.01, profiles: [profile], log };
    index = createRedisIndex(server.redis, options);
    await add(...many(10));
    await index.check();
    expect(own).toEqual([]);
    const done = many(40);
    await add(...done);
    await index.check();
    await index.check();
    expect(own.filter((line) => line.event === EVENT.indexFilterGrown)).toHaveLength(1);
    // The filter counts what it had not seen: a false positive of its own is not counted.
    expect(own[0]).toMatchObject({ profile, items: expect.any(Number) });
    expect(await index.lookup(profile, done)).toEqual(done.map(() => rebuilt));
  });

  test('capacity and error rate are those of the options', async () => {
    await add(sha256());
    expect(await server.redis.call('BF.INFO', keys.filter, 'CAPACITY')).toEqual([10_000]);
  });
});

describe('what Redis holds', () => {
  test.each(['', 'done', 'rebuilt', 'rebuilt ', 'rebuilt nowhere', 'maybe s3://clean/', ' s3://clean/'])(
    'the record %j is neither new nor done',
    async (text) => {
      const [good, bad] = [sha256(), sha256()];
      await add(good, bad);
      await server.redis.hset(keys.records, raw(bad), text);
      await expect(index.lookup(profile, [good, bad])).rejects.toMatchObject(invalid);
      await expect(index.lookup(profile, [good, bad])).rejects.toThrow(bad);
      expect(await index.lookup(profile, [good])).toEqual([rebuilt]);
    },
  );

  test('a record that is no text is neither new nor done', async () => {
    const bad = sha256();
    await add(bad);
    await server.redis.hset(keys.records, raw(bad), Buffer.from('rebuilt s3://\xff/', 'latin1'));
    await expect(index.lookup(profile, [bad])).rejects.toMatchObject(invalid);
  });

  test.each(['filter', 'records', 'meta'] as const)(
    'a key of another type in the %s’s place',
    async (place) => {
      const done = sha256();
      await add(done);
      await server.redis.set(keys[place], 'somebody else’s');
      for (const call of [
        () => index.lookup(profile, [done]),
        () => index.add({ profile, sha256: sha256() }, rebuilt),
        () => index.check(),
      ]) {
        await expect(call()).rejects.toMatchObject(invalid);
        await expect(call()).rejects.toThrow(/another type.*PRISTINE_KEY_PREFIX/);
      }
      await expect(index.check()).rejects.toThrow(keys[place]);
      expect(await server.redis.get(keys[place])).toBe('somebody else’s');
    },
  );

  test('another schema version is not read, not written, and not taken for new', async () => {
    const one = sha256();
    await add(one);
    await server.redis.hset(keys.meta, 'schema', '2');
    for (const call of [
      () => index.lookup(profile, [one]),
      () => index.add({ profile, sha256: sha256() }, rebuilt),
      () => index.forget({ profile, sha256: one }),
      () => index.check(),
    ]) {
      await expect(call()).rejects.toMatchObject(invalid);
      await expect(call()).rejects.toThrow(/schema version 2/);
    }
    expect(await server.redis.hlen(keys.records)).toBe(1);

    expect(await index.rebuild(profile, records([one]))).toBe(1);
    await index.check();
    expect(await index.lookup(profile, [one])).toEqual([rebuilt]);
  });

  test('one content more is one field more: nothing else is left behind', async () => {
    await add(...many(3));
    await index.rebuild(profile, records(many(3)));
    await add(...many(2));
    expect(await server.redis.hlen(keys.records)).toBe(5);
    const left = await server.redis.keys(`${server.prefix}:*`);
    expect(left.sort()).toEqual([keys.filter, keys.meta, keys.records].sort());
    for (const key of left) expect(await server.redis.ttl(key)).toBe(-1);
  });
});

describe('round trips', () => {
  test('a look-up of 250 is one command, and so is an addition with its unlocking', async () => {
    const locks = createRedisLocks(server.redis, { prefix: server.prefix });
    const contents = many(250);
    const [first = ''] = contents;
    await add(first);
    expect(await countCommands(server, () => index.lookup(profile, contents))).toBe(1);
    await locks.acquire({ profile, sha256: first }, 'run', 60_000);
    const unlock = () => index.add({ profile, sha256: first }, rebuilt, 'run');
    expect(await countCommands(server, unlock)).toBe(1);
    expect(await server.redis.exists(redisKeys(server.prefix).lock({ profile, sha256: first }))).toBe(0);
  });

  test('a script that the server forgot is sent again', async () => {
    const [done] = many(1);
    await add(done ?? '');
    await index.lookup(profile, [done ?? '']);
    await server.redis.script('FLUSH');
    expect(await index.lookup(profile, [done ?? ''])).toEqual([rebuilt]);
  });

  test('checks at one time are one check', async () => {
    await add(sha256());
    await index.check();
    expect(
      await countCommands(server, () => Promise.all([index.check(), index.check(), index.check()])),
    ).toBe(1);
  });
});

describe('rebuild', () => {
  test('a second one takes over, and the first one says so', async () => {
    const [one, two] = [sha256(), sha256()];
    const first = async function* () {
      yield* records([one]);
      expect(await index.rebuild(profile, records([two]))).toBe(1);
    };
    await expect(index.rebuild(profile, first())).rejects.toMatchObject({
      code: 'index.unavailable',
      retryable: true,
    });
    expect(await index.lookup(profile, [one, two])).toEqual([null, rebuilt]);
  });

  test('everything gone meanwhile: it fails and does not pass half off as the whole', async () => {
    const cut = async function* () {
      yield* records(many(600));
      await server.flush();
      yield* records(many(600));
    };
    await expect(index.rebuild(profile, cut())).rejects.toMatchObject({ code: 'index.unavailable' });
    expect(await server.redis.exists(keys.records)).toBe(0);
  });

  test('what it puts aside has a time to live, also what others add to it, and is dropped when it breaks off', async () => {
    const aside = [keys.build, keys.nextFilter, keys.nextRecords, keys.nextForgotten];
    const broken = async function* () {
      await add(sha256());
      await index.forget({ profile, sha256: sha256() });
      for (const key of aside) expect(await server.redis.pttl(key)).toBeGreaterThan(0);
      yield* records(many(600));
      for (const key of aside) expect(await server.redis.pttl(key)).toBeGreaterThan(0);
      throw new Error('broken off');
    };
    await expect(index.rebuild(profile, broken())).rejects.toThrow('broken off');
    expect(await server.redis.exists(...aside)).toBe(0);
  });

  test('it takes the place of what is of the wrong type', async () => {
    const one = sha256();
    await server.redis.set(keys.records, 'broken');
    expect(await index.rebuild(profile, records([one]))).toBe(1);
    expect(await index.lookup(profile, [one])).toEqual([rebuilt]);
  });

  test('what it leaves is believed, and additions meanwhile are in its filter', async () => {
    const [given, added] = [many(30), many(30)];
    const source = async function* () {
      yield* records(given);
      await add(...added);
    };
    expect(await index.rebuild(profile, source())).toBe(60);
    expect(await believed()).toBe(true);
    expect(await index.lookup(profile, [...given, ...added])).toEqual(
      [...given, ...added].map(() => rebuilt),
    );
  });
});

async function* records(contents: readonly string[]) {
  for (const one of contents) yield { sha256: one, record: rebuilt };
}
