import { describe, expect, test } from '@jest/globals';
import { createEtcdIndex } from '../../drivers/etcd/index.ts';
import { SCHEMA_VERSION } from '../../drivers/etcd/keys.ts';
import { MINUTE, rebuilt, refused, sha256 } from './contents.ts';
import { add, erase, generationOf, overwrite, rawKeys, texts, useEtcdIndex } from './etcd-index.ts';
import { recordingLog } from './redis-connection.ts';
import { invalid, many, records } from './redis-index.ts';

const on = useEtcdIndex();
/** Every call that says what is there, or changes it. */
const calls = (done: string) => [
  () => on.index.lookup(on.profile, [done]),
  () => on.index.claim({ profile: on.profile, sha256: done }, 'run', MINUTE),
  () => on.index.add({ profile: on.profile, sha256: sha256() }, rebuilt),
  () => on.index.forget({ profile: on.profile, sha256: done }),
  () => on.index.check(),
];

describe('what lies there', () => {
  test.each(['', 'done', 'rebuilt', 'rebuilt ', 'rebuilt nowhere', 'maybe s3://clean/', ' s3://clean/'])(
    'the record %j is neither new nor done, and nothing is locked',
    async (text) => {
      const [good, bad] = [sha256(), sha256()];
      await add(on, good, bad);
      const place = (await generationOf(on)).record(bad);
      await overwrite(on, place, text);
      await expect(on.index.lookup(on.profile, [good, bad])).rejects.toMatchObject(invalid);
      await expect(on.index.lookup(on.profile, [good, bad])).rejects.toThrow(bad);
      const key = { profile: on.profile, sha256: bad };
      await expect(on.index.claim(key, 'run', MINUTE)).rejects.toMatchObject(invalid);
      expect(await on.index.lookup(on.profile, [good])).toEqual([rebuilt]);
      expect(await Array.fromAsync(on.locks.list())).toEqual([]);
      const held = await rawKeys(on, (await generationOf(on)).records);
      expect(held.find(({ key }) => key.toString() === place)?.value.toString()).toBe(text);
    },
  );

  test('a record that is no text is neither new nor done', async () => {
    const bad = sha256();
    await add(on, bad);
    await overwrite(on, (await generationOf(on)).record(bad), Buffer.from('rebuilt s3://\xff/', 'latin1'));
    await expect(on.index.lookup(on.profile, [bad])).rejects.toMatchObject(invalid);
  });

  test.each([
    ['another schema version', '2 0123456789abcdef', /schema version 2/],
    ['something that is not ours', 'hello', /PRISTINE_KEY_PREFIX.*index rebuild/],
    ['nothing', '', /PRISTINE_KEY_PREFIX.*index rebuild/],
  ])('%s is not read, not written, and not taken for new', async (_name, meta, words) => {
    const one = sha256();
    await add(on, one);
    await overwrite(on, on.keys.meta, meta);
    const before = texts(await rawKeys(on, `${on.prefix}/`));
    // As a process that has read the index before, and as one that has not.
    for (const known of [true, false]) {
      if (!known) renew();
      for (const call of calls(one)) {
        await expect(call()).rejects.toMatchObject(invalid);
        await expect(call()).rejects.toThrow(words);
      }
    }
    expect(texts(await rawKeys(on, `${on.prefix}/`))).toEqual(before);

    expect(await on.index.rebuild(on.profile, records([one]))).toBe(1);
    await on.index.check();
    expect(await on.index.lookup(on.profile, [one])).toEqual([rebuilt]);
  });

  test('records whose meta is gone are not taken for none, also while they are made anew', async () => {
    const one = sha256();
    await add(on, one);
    await erase(on, on.keys.meta);
    for (const known of [true, false]) {
      if (!known) renew();
      for (const call of calls(one)) {
        await expect(call()).rejects.toMatchObject(invalid);
        await expect(call()).rejects.toThrow(/is gone.*index rebuild/);
      }
    }
    const given = async function* () {
      yield* records([one]);
      await expect(on.index.lookup(on.profile, [one])).rejects.toMatchObject(invalid);
    };
    expect(await on.index.rebuild(on.profile, given())).toBe(1);
    expect(await on.index.lookup(on.profile, [one])).toEqual([rebuilt]);
    expect(texts(await rawKeys(on, on.keys.generations))).toHaveLength(1);
  });

  test('everything gone: all is new, and work goes on', async () => {
    const done = many(3);
    await add(on, ...done);
    await erase(on, `${on.prefix}/`);
    await on.index.check();
    expect(await on.index.lookup(on.profile, done)).toEqual([null, null, null]);
    await add(on, ...done);
    expect(await on.index.lookup(on.profile, done)).toEqual(done.map(() => rebuilt));
  });

  test('the first addition says which schema version this is, and a look-up leaves nothing', async () => {
    await on.index.lookup(on.profile, [sha256()]);
    await on.index.check();
    expect(await rawKeys(on, `${on.prefix}/`)).toEqual([]);
    await add(on, sha256());
    const held = await rawKeys(on, `${on.prefix}/index/`);
    const meta = held.find(({ key }) => key.toString() === on.keys.meta);
    expect(meta?.value.toString()).toMatch(new RegExp(`^${SCHEMA_VERSION} [0-9a-f]{16}$`));
  });

  test('one content more is one key more: nothing else is left behind', async () => {
    const [before, after] = [many(3), many(2)];
    await add(on, ...before);
    await on.index.rebuild(on.profile, records(before));
    await on.index.claim({ profile: on.profile, sha256: sha256() }, 'run', MINUTE);
    for (const lock of await Array.fromAsync(on.locks.list())) await on.locks.break(lock.key);
    await add(on, ...after);
    const generation = await generationOf(on);
    const expected = [on.keys.meta, ...[...before, ...after].map((one) => generation.record(one))];
    expect(texts(await rawKeys(on, `${on.prefix}/`)).sort()).toEqual(expected.sort());
    for (const { lease } of await rawKeys(on, `${on.prefix}/`)) expect(lease).toBe('0');
  });
});

describe('many at once', () => {
  test('claims of one content from many sides, and additions meanwhile, leave one record and no lock', async () => {
    const key = { profile: on.profile, sha256: sha256() };
    const claims = await Promise.all(
      Array.from({ length: 20 }, (_, i) => on.index.claim(key, `run-${i}`, MINUTE)),
    );
    const winner = claims.findIndex(({ kind }) => kind === 'claimed');
    await Promise.all(Array.from({ length: 20 }, (_, i) => on.index.add(key, rebuilt, `run-${i}`)));
    expect(winner).toBeGreaterThanOrEqual(0);
    expect(await on.index.lookup(on.profile, [key.sha256])).toEqual([rebuilt]);
    expect(await Array.fromAsync(on.locks.list())).toEqual([]);
  });

  test('a page that is no multiple of a batch, with one content twice', async () => {
    const page = many(251);
    await add(on, page[250] ?? '', page[100] ?? '');
    const found = await on.index.lookup(on.profile, [...page, page[100] ?? '']);
    expect(found.flatMap((one, i) => (one === null ? [] : [i]))).toEqual([100, 250, 251]);
  });

  test('checks at one time are one check', async () => {
    const [one, two] = [on.index.check(), on.index.check()];
    expect(one).toBe(two);
    await one;
  });

  test('two installations on one etcd, whose prefixes begin alike, know nothing of each other', async () => {
    const key = { profile: on.profile, sha256: sha256() };
    const log = recordingLog().log;
    const other = createEtcdIndex(on.etcd, { prefix: `${on.prefix}-two`, profiles: [], log });
    await other.add(key, refused);
    expect(await on.index.lookup(on.profile, [key.sha256])).toEqual([null]);
    await on.index.rebuild(on.profile, records([]));
    expect(await other.lookup(on.profile, [key.sha256])).toEqual([refused]);
  });
});

/** As after a restart: nothing of the index is remembered. */
function renew(): void {
  const options = { prefix: on.prefix, profiles: [on.profile], log: recordingLog().log };
  on.index = createEtcdIndex(on.etcd, options);
}
