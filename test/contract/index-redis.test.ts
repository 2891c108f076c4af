import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { EVENT } from '../../drivers/events.ts';
import { createRedisIndex } from '../../drivers/redis/index.ts';
import { redisKeys, SCHEMA_VERSION } from '../../drivers/redis/keys.ts';
import { createRedisLocks } from '../../drivers/redis/locks.ts';
import { loadScripts } from '../../drivers/redis/scripts.ts';
import { rebuilt, sha256 } from './contents.ts';
import { countCommands } from './count-commands.ts';
import { recordingLog } from './redis-connection.ts';
import { add, believed, claim, many, raw, useRedisIndex } from './redis-index.ts';

const on = useRedisIndex();

describe('the filter', () => {
  test('a false positive of the filter is new', async () => {
    const [done, planted] = [sha256(), sha256()];
    await add(on, done);
    await on.server.redis.call('BF.ADD', on.keys.filter, raw(planted));
    expect(await on.index.lookup(on.profile, [planted, done])).toEqual([null, rebuilt]);
  });

  test('a false positive of the filter is claimed, not done', async () => {
    const [done, planted] = [sha256(), sha256()];
    await add(on, done);
    await on.server.redis.call('BF.ADD', on.keys.filter, raw(planted));
    expect(await claim(on, planted)).toEqual({ kind: 'claimed' });
    expect(await claim(on, done)).toEqual({ kind: 'done', record: rebuilt });
  });

  test('a no of a filter that is whole is believed', async () => {
    await add(on, sha256());
    expect(await believed(on)).toBe(true);
  });

  test('gone while the records are there: these answer, also after additions, until check fills it', async () => {
    const done = many(1300);
    await add(on, ...done);
    await on.server.redis.del(on.keys.filter);
    expect(await on.index.lookup(on.profile, done)).toEqual(done.map(() => rebuilt));
    expect(await claim(on, done[0])).toEqual({ kind: 'done', record: rebuilt });

    const later = sha256();
    await add(on, later);
    expect(await believed(on)).toBe(false);
    expect(await on.index.lookup(on.profile, [...done, later])).toEqual([...done, later].map(() => rebuilt));

    await on.index.check();
    expect(on.events()).toEqual([EVENT.indexFilterLost, EVENT.indexFilterFilled]);
    expect(await believed(on)).toBe(true);
    expect(await on.index.lookup(on.profile, [...done, later])).toEqual([...done, later].map(() => rebuilt));
    await on.index.check();
    expect(on.events()).toHaveLength(2);
  });

  test('older than the records: these answer until check fills it', async () => {
    const [before, after] = [many(20), many(20)];
    await add(on, ...before);
    const old = await on.server.redis.dumpBuffer(on.keys.filter);
    await add(on, ...after);
    await on.server.redis.restore(on.keys.filter, 0, old, 'REPLACE');

    expect(await believed(on)).toBe(false);
    expect(await on.index.lookup(on.profile, after)).toEqual(after.map(() => rebuilt));
    expect(await claim(on, after[0])).toEqual({ kind: 'done', record: rebuilt });
    await on.index.check();
    expect(on.events()).toEqual([EVENT.indexFilterLost, EVENT.indexFilterFilled]);
    expect(await believed(on)).toBe(true);
    expect(await on.index.lookup(on.profile, [...before, ...after])).toEqual(
      [...before, ...after].map(() => rebuilt),
    );
  });

  test('its meta gone: the records answer until check has filled it', async () => {
    const done = many(5);
    await add(on, ...done);
    await on.server.redis.del(on.keys.meta, on.keys.filter);
    await add(on, done[0] ?? '');
    expect(await on.index.lookup(on.profile, done)).toEqual(done.map(() => rebuilt));
    expect(await believed(on)).toBe(false);
    await on.index.check();
    expect(await believed(on)).toBe(true);
    expect(await on.index.lookup(on.profile, done)).toEqual(done.map(() => rebuilt));
  });

  test('while it is filled it is not believed, and when it is lost again meanwhile, filling fails', async () => {
    const done = many(1300);
    await add(on, ...done);
    await on.server.redis.del(on.keys.filter);
    const run = loadScripts(on.server.redis);
    const page = (cursor: string, items: number) =>
      run('fill-filter', {
        keys: [on.keys.filter, on.keys.records, on.keys.meta],
        args: [SCHEMA_VERSION, cursor, 500, items, '0.001', '10000'],
        place: on.keys.pattern,
        answer: z.tuple([z.string(), z.int()]),
      });
    const [cursor, items] = await page('0', 0);
    expect(items).toBeGreaterThan(400);
    expect(await on.index.lookup(on.profile, done)).toEqual(done.map(() => rebuilt));

    await on.server.redis.del(on.keys.filter);
    await expect(page(cursor, items)).rejects.toMatchObject({ code: 'index.unavailable', retryable: true });
    expect(await on.index.lookup(on.profile, done)).toEqual(done.map(() => rebuilt));
    await on.index.check();
    expect(await believed(on)).toBe(true);
    expect(await on.index.lookup(on.profile, done)).toEqual(done.map(() => rebuilt));
  });

  test('the records gone, the filter kept: all is new', async () => {
    const done = many(3);
    await add(on, ...done);
    await on.server.redis.del(on.keys.records);
    expect(await on.index.lookup(on.profile, done)).toEqual([null, null, null]);
    expect(await claim(on, done[0])).toEqual({ kind: 'claimed' });
    await on.index.check();
  });

  test('everything gone: all is new, and work goes on', async () => {
    const done = many(3);
    await add(on, ...done);
    await on.server.flush();
    await on.index.check();
    expect(await on.index.lookup(on.profile, done)).toEqual([null, null, null]);
    await add(on, ...done);
    expect(await on.index.lookup(on.profile, done)).toEqual(done.map(() => rebuilt));
    expect(await believed(on)).toBe(true);
  });

  test('past its capacity it grows, goes on, and check says so once', async () => {
    const { log, lines: own } = recordingLog();
    const options = { prefix: on.server.prefix, capacity: 10, errorRate: 0.01, profiles: [on.profile], log };
    on.index = createRedisIndex(on.server.redis, options);
    await add(on, ...many(10));
    await on.index.check();
    expect(own).toEqual([]);
    const done = many(40);
    await add(on, ...done);
    await on.index.check();
    await on.index.check();
    expect(own.filter((line) => line.event === EVENT.indexFilterGrown)).toHaveLength(1);
    // The filter counts what it had not seen: a false positive of its own is not counted.
    expect(own[0]).toMatchObject({ profile: on.profile, items: expect.any(Number) });
    expect(await on.index.lookup(on.profile, done)).toEqual(done.map(() => rebuilt));
  });

  test('capacity and error rate are those of the options', async () => {
    await add(on, sha256());
    expect(await on.server.redis.call('BF.INFO', on.keys.filter, 'CAPACITY')).toEqual([10_000]);
  });
});

describe('round trips', () => {
  test('a look-up of 250 is one command, and so are a claim and an addition with its unlocking', async () => {
    const locks = createRedisLocks(on.server.redis, { prefix: on.server.prefix });
    const contents = many(250);
    const [first = ''] = contents;
    await add(on, first);
    expect(await countCommands(on.server, () => on.index.lookup(on.profile, contents))).toBe(1);
    expect(await countCommands(on.server, () => claim(on, sha256()))).toBe(1);
    await locks.acquire({ profile: on.profile, sha256: first }, 'run', 60_000);
    const unlock = () => on.index.add({ profile: on.profile, sha256: first }, rebuilt, 'run');
    expect(await countCommands(on.server, unlock)).toBe(1);
    expect(
      await on.server.redis.exists(redisKeys(on.server.prefix).lock({ profile: on.profile, sha256: first })),
    ).toBe(0);
  });

  test('a script that the server forgot is sent again', async () => {
    const [done] = many(1);
    await add(on, done ?? '');
    await on.index.lookup(on.profile, [done ?? '']);
    await on.server.redis.script('FLUSH');
    expect(await on.index.lookup(on.profile, [done ?? ''])).toEqual([rebuilt]);
  });

  test('checks at one time are one check', async () => {
    await add(on, sha256());
    await on.index.check();
    expect(
      await countCommands(on.server, () =>
        Promise.all([on.index.check(), on.index.check(), on.index.check()]),
      ),
    ).toBe(1);
  });
});
