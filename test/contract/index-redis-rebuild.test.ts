import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { SCHEMA_VERSION } from '../../drivers/redis/keys.ts';
import { loadScripts } from '../../drivers/redis/scripts.ts';
import { rebuilt, sha256 } from './contents.ts';
import { add, believed, many, raw, records, useRedisIndex } from './redis-index.ts';

const on = useRedisIndex();

test('a second one takes over, and the first one says so', async () => {
  const [one, two] = [sha256(), sha256()];
  const first = async function* () {
    yield* records([one]);
    expect(await on.index.rebuild(on.profile, records([two]))).toBe(1);
  };
  await expect(on.index.rebuild(on.profile, first())).rejects.toMatchObject({
    code: 'index.unavailable',
    retryable: true,
  });
  expect(await on.index.lookup(on.profile, [one, two])).toEqual([null, rebuilt]);
});

test('everything gone meanwhile: it fails and does not pass half off as the whole', async () => {
  const cut = async function* () {
    yield* records(many(600));
    await on.server.flush();
    yield* records(many(600));
  };
  await expect(on.index.rebuild(on.profile, cut())).rejects.toMatchObject({ code: 'index.unavailable' });
  expect(await on.server.redis.exists(on.keys.records)).toBe(0);
});

test('what it puts aside has a time to live, also what others add to it, and is dropped when it breaks off', async () => {
  const aside = [on.keys.build, on.keys.nextFilter, on.keys.nextRecords, on.keys.nextForgotten];
  const broken = async function* () {
    expect(await on.server.redis.pttl(on.keys.nextFilter)).toBeGreaterThan(0);
    await add(on, sha256());
    await on.index.forget({ profile: on.profile, sha256: sha256() });
    for (const key of aside) expect(await on.server.redis.pttl(key)).toBeGreaterThan(0);
    yield* records(many(600));
    for (const key of aside) expect(await on.server.redis.pttl(key)).toBeGreaterThan(0);
    throw new Error('broken off');
  };
  await expect(on.index.rebuild(on.profile, broken())).rejects.toThrow('broken off');
  expect(await on.server.redis.exists(...aside)).toBe(0);
});

test('each page renews the time to live', async () => {
  const aside = [on.keys.build, on.keys.nextFilter, on.keys.nextRecords];
  const slow = async function* () {
    yield* records(many(500));
    for (const key of aside) await on.server.redis.pexpire(key, 60_000);
    yield* records(many(500));
    for (const key of aside) expect(await on.server.redis.pttl(key)).toBeGreaterThan(60_000);
  };
  expect(await on.index.rebuild(on.profile, slow())).toBe(1000);
});

test('whoever was taken over can neither add, swap nor drop', async () => {
  const one = sha256();
  await add(on, one);
  const aside = [on.keys.build, on.keys.nextFilter, on.keys.nextRecords, on.keys.nextForgotten];
  const run = loadScripts(on.server.redis);
  const step = (script: 'build-begin' | 'build-page' | 'build-drop', ...args: (string | Buffer)[]) =>
    run(script, { keys: aside, args, place: on.keys.pattern, answer: z.int() });
  const lost = { code: 'index.unavailable', retryable: true };
  await step('build-begin', 'first', '60000', '0.001', '100');
  await step('build-begin', 'second', '60000', '0.001', '100');

  const page = step('build-page', 'first', '60000', raw(sha256()), 'rebuilt s3://clean/');
  await expect(page).rejects.toMatchObject(lost);
  expect(await on.server.redis.exists(on.keys.nextRecords)).toBe(0);
  const swap = run('build-swap', {
    keys: [...aside, on.keys.filter, on.keys.records, on.keys.meta],
    args: ['first', SCHEMA_VERSION],
    place: on.keys.pattern,
    answer: z.int(),
  });
  await expect(swap).rejects.toMatchObject(lost);
  expect(await step('build-drop', 'first')).toBe(0);
  expect(await on.server.redis.get(on.keys.build)).toBe('second');
  expect(await on.index.lookup(on.profile, [one])).toEqual([rebuilt]);
});

test('a filter that is lost after it is noticed too', async () => {
  const given = many(30);
  await on.index.rebuild(on.profile, records(given));
  await on.server.redis.del(on.keys.filter);
  expect(await on.index.lookup(on.profile, given)).toEqual(given.map(() => rebuilt));
});

test('it takes the place of what is of the wrong type', async () => {
  const one = sha256();
  await on.server.redis.set(on.keys.records, 'broken');
  expect(await on.index.rebuild(on.profile, records([one]))).toBe(1);
  expect(await on.index.lookup(on.profile, [one])).toEqual([rebuilt]);
});

test('what it leaves is believed, and additions meanwhile are in its filter', async () => {
  const [given, added] = [many(30), many(30)];
  const source = async function* () {
    yield* records(given);
    await add(on, ...added);
  };
  expect(await on.index.rebuild(on.profile, source())).toBe(60);
  expect(await believed(on)).toBe(true);
  expect(await on.index.lookup(on.profile, [...given, ...added])).toEqual(
    [...given, ...added].map(() => rebuilt),
  );
});
