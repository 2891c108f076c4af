import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { formatNote, placeHash } from '../../drivers/file-note.ts';
import { createRedisFileMemory } from '../../drivers/redis/file-memory.ts';
import { createRedisIndex } from '../../drivers/redis/index.ts';
import { redisKeys } from '../../drivers/redis/keys.ts';
import { nameHash } from '../../drivers/seen-mark.ts';
import { profile, rebuilt, sha256 } from './contents.ts';
import { openTestRedis, recordingLog, type TestRedis } from './redis-connection.ts';

let server: TestRedis;
beforeEach(async () => {
  server = await openTestRedis();
});
afterEach(() => server.close());

const DAY = 24 * 3600 * 1000;
const place = { source: 's3://in/finance/', destination: 's3://out/', profile: profile() };
const file = { name: Buffer.from('report.pdf'), version: 'v1' };
const keyAt = (period: number) => redisKeys(server.prefix).files(place.profile, placeHash(place), period);
const memoryAt = (now: number) =>
  createRedisFileMemory(server.redis, {
    prefix: server.prefix,
    periodSeconds: (10 * DAY) / 1000,
    now: () => now,
  });
const knows = async (now: number) => (await memoryAt(now).recall(place, [file]))[0] !== null;

test('what is asked for is kept on, period by period; what is not runs out', async () => {
  await memoryAt(5 * DAY).remember(place, [
    { ...file, sha256: sha256() },
    { name: Buffer.from('other'), version: 'v1', sha256: sha256() },
  ]);
  const life = await server.redis.ttl(keyAt(0));
  expect(life).toBeGreaterThan((20 * DAY) / 1000 - 60);
  expect(life).toBeLessThanOrEqual((20 * DAY) / 1000);
  expect(await knows(15 * DAY)).toBe(true);
  expect(await server.redis.hlen(keyAt(1))).toBe(1);
  expect(await server.redis.ttl(keyAt(1))).toBeGreaterThan(0);
  await server.redis.unlink(keyAt(0));
  expect(await knows(25 * DAY)).toBe(true);
  expect(await knows(45 * DAY)).toBe(false);
});

test('the current period goes before the last one', async () => {
  const [older, newer] = [sha256(), sha256()];
  await memoryAt(5 * DAY).remember(place, [{ ...file, sha256: older }]);
  await memoryAt(15 * DAY).remember(place, [{ ...file, sha256: newer }]);
  expect(await memoryAt(15 * DAY).recall(place, [file])).toEqual([{ sha256: newer, record: null }]);
});

test('asking about what nobody noted leaves nothing behind', async () => {
  expect(await knows(5 * DAY)).toBe(false);
  expect(await server.redis.keys(`${server.prefix}:*`)).toEqual([]);
});

test('no name and no place lies in Redis, and all of it is in the slot of the profile', async () => {
  await memoryAt(5 * DAY).remember(place, [{ ...file, sha256: sha256() }]);
  const [key = '', ...more] = await server.redis.keys(`${server.prefix}:*`);
  expect(more).toEqual([]);
  expect(key).toContain(`{${place.profile}}`);
  const [field] = await server.redis.hkeys(key);
  expect(`${key} ${field}`).not.toMatch(/report|finance|out/);
});

test('what can not be read there is nothing known, and is written over', async () => {
  const now = 5 * DAY;
  const note = formatNote({ sha256: sha256(), version: 'v1' });
  for (const garbled of ['', 'x', 'x'.repeat(41), note.subarray(0, 40), Buffer.concat([note, note])]) {
    await server.redis.hset(keyAt(0), nameHash(file.name), garbled);
    expect(await memoryAt(now).recall(place, [file])).toEqual([null]);
  }
  const known = sha256();
  await memoryAt(now).remember(place, [{ ...file, sha256: known }]);
  expect(await memoryAt(now).recall(place, [file])).toEqual([{ sha256: known, record: null }]);
});

test('something else in its place, or in that of the records, is an error, not nothing known', async () => {
  const invalid = { code: 'index.invalid', retryable: false };
  await server.redis.set(keyAt(0), 'x');
  await expect(memoryAt(5 * DAY).recall(place, [file])).rejects.toMatchObject(invalid);
  await expect(memoryAt(5 * DAY).remember(place, [{ ...file, sha256: sha256() }])).rejects.toMatchObject(
    invalid,
  );
  await expect(memoryAt(15 * DAY).recall(place, [file])).rejects.toMatchObject(invalid);
  await server.redis.unlink(keyAt(0));
  await memoryAt(5 * DAY).remember(place, [{ ...file, sha256: sha256() }]);
  await server.redis.set(redisKeys(server.prefix).profile(place.profile).records, 'x');
  await expect(memoryAt(5 * DAY).recall(place, [file])).rejects.toMatchObject(invalid);
});

test('an index of another version is an error, not nothing known', async () => {
  await server.redis.hset(redisKeys(server.prefix).profile(place.profile).meta, 'schema', '99');
  await expect(memoryAt(5 * DAY).recall(place, [file])).rejects.toMatchObject({
    code: 'index.invalid',
    message: expect.stringContaining('schema version 99'),
  });
});

test('the record is the exact one, whatever the filter says; a rebuilt index keeps the notes', async () => {
  const index = createRedisIndex(server.redis, {
    ...{ prefix: server.prefix, capacity: 1000, errorRate: 0.001, profiles: [] },
    log: recordingLog().log,
  });
  const content = sha256();
  await memoryAt(5 * DAY).remember(place, [{ ...file, sha256: content }]);
  const { filter } = redisKeys(server.prefix).profile(place.profile);
  await index.add({ profile: place.profile, sha256: sha256() }, rebuilt);
  await server.redis.call('BF.ADD', filter, Buffer.from(content, 'hex'));
  expect(await memoryAt(5 * DAY).recall(place, [file])).toEqual([{ sha256: content, record: null }]);
  await index.rebuild(
    place.profile,
    (async function* () {
      yield { sha256: content, record: rebuilt };
    })(),
  );
  expect(await memoryAt(5 * DAY).recall(place, [file])).toEqual([{ sha256: content, record: rebuilt }]);
});
