import { expect, test } from '@jest/globals';
import type { Etcd } from '../../drivers/etcd/connect.ts';
import { unavailable } from '../../drivers/etcd/etcd-error.ts';
import { createEtcdIndex } from '../../drivers/etcd/index.ts';
import { formatMeta } from '../../drivers/etcd/keys.ts';
import { EVENT } from '../../drivers/events.ts';
import type { ProcessedIndex } from '../../drivers/ports.ts';
import { rebuilt, refused, sha256 } from './contents.ts';
import { add, erase, generationOf, overwrite, rawKeys, texts, useEtcdIndex } from './etcd-index.ts';
import { recordingLog } from './redis-connection.ts';
import { many, records } from './redis-index.ts';

const on = useEtcdIndex();
const lost = { code: 'index.unavailable', retryable: true };
/** An index of another process, which learns of a rebuild by itself. */
const another = () => createEtcdIndex(on.etcd, { prefix: on.prefix, profiles: [], log: recordingLog().log });

test('a second one takes over, and the first one says so', async () => {
  const [one, two] = [sha256(), sha256()];
  let asked = 0;
  const first = async function* () {
    yield* records([one]);
    expect(await another().rebuild(on.profile, records([two]))).toBe(1);
    for await (const record of records(many(1_000))) {
      asked += 1;
      yield record;
    }
  };
  await expect(on.index.rebuild(on.profile, first())).rejects.toMatchObject(lost);
  // At its next page, not after reading all the receipts.
  expect(asked).toBeLessThan(100);
  expect(await on.index.lookup(on.profile, [one, two])).toEqual([null, rebuilt]);
  expect(texts(await rawKeys(on, on.keys.generations))).toEqual([(await generationOf(on)).record(two)]);
});

test('a second one that is still at work keeps its pages when the first one gives up', async () => {
  const given = many(120);
  let second: Promise<number> | undefined;
  let goOn = () => {};
  const paused = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const first = async function* () {
    yield* records(many(100));
    let begun = () => {};
    const hasBegun = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const slow = async function* () {
      yield* records(given.slice(0, 100));
      begun();
      await paused;
      yield* records(given.slice(100));
    };
    second = another().rebuild(on.profile, slow());
    await hasBegun;
    yield* records(many(100));
  };
  await expect(on.index.rebuild(on.profile, first())).rejects.toMatchObject(lost);
  goOn();
  expect(await second).toBe(120);
  expect(await on.index.lookup(on.profile, given)).toEqual(given.map(() => rebuilt));
  expect(texts(await rawKeys(on, on.keys.generations))).toHaveLength(120);
});

test('everything gone meanwhile: it fails and does not pass half off as the whole', async () => {
  const cut = async function* () {
    yield* records(many(200));
    await erase(on, `${on.prefix}/`);
    yield* records(many(200));
  };
  await expect(on.index.rebuild(on.profile, cut())).rejects.toMatchObject(lost);
  expect(await rawKeys(on, on.keys.generations)).toEqual([]);
});

test('one that broke off leaves nothing, and neither does one that ended', async () => {
  const old = many(5);
  await add(on, ...old);
  const generation = await generationOf(on);
  const kept = [on.keys.meta, ...old.map((one) => generation.record(one))].sort();
  const broken = async function* () {
    yield* records(many(300));
    await on.index.forget({ profile: on.profile, sha256: sha256() });
    throw new Error('broken off');
  };
  await expect(on.index.rebuild(on.profile, broken())).rejects.toThrow('broken off');
  expect(texts(await rawKeys(on, `${on.prefix}/`)).sort()).toEqual(kept);

  const given = many(3);
  const ends = async function* () {
    yield* records(given);
    await on.index.forget({ profile: on.profile, sha256: sha256() });
  };
  expect(await on.index.rebuild(on.profile, ends())).toBe(3);
  const next = await generationOf(on);
  const left = [on.keys.meta, ...given.map((one) => next.record(one))].sort();
  expect(texts(await rawKeys(on, `${on.prefix}/`)).sort()).toEqual(left);
  expect(await on.own.leases()).toBe(0);
  expect(on.events()).toEqual([EVENT.indexRebuilt]);
});

test('what one that was killed has left is deleted by the next, however much it is, and the old one stays', async () => {
  const old = sha256();
  await add(on, old);
  const dead = on.keys.generation('0123456789abcdef');
  for (const one of many(2_500)) await overwrite(on, dead.record(one), 'rebuilt s3://clean/');
  await overwrite(on, dead.forgotten(sha256()), '');
  let meanwhile: unknown;
  const given = async function* () {
    meanwhile = [await on.index.lookup(on.profile, [old]), await rawKeys(on, dead.all)];
    yield* records([]);
  };
  expect(await on.index.rebuild(on.profile, given())).toBe(0);
  expect(meanwhile).toEqual([[rebuilt], []]);
});

test('another process adds, forgets and looks up across it without knowing of it', async () => {
  const other = another();
  const [added, forgotten, old] = [sha256(), sha256(), sha256()];
  await other.add({ profile: on.profile, sha256: old }, refused);
  await other.add({ profile: on.profile, sha256: forgotten }, refused);
  const given = async function* () {
    yield* records([...many(100), forgotten]);
    await other.add({ profile: on.profile, sha256: added }, refused);
    await other.forget({ profile: on.profile, sha256: forgotten });
    expect(await other.lookup(on.profile, [old, added, forgotten])).toEqual([refused, refused, null]);
  };
  expect(await on.index.rebuild(on.profile, given())).toBe(101);
  expect(await other.lookup(on.profile, [old, added, forgotten])).toEqual([null, refused, null]);
  await other.add({ profile: on.profile, sha256: old }, refused);
  expect(await on.index.lookup(on.profile, [old])).toEqual([refused]);
});

test('additions that race with the switch are never lost', async () => {
  const others = Array.from({ length: 4 }, another);
  for (let round = 0; round < 5; round++) {
    const added: string[] = [];
    let going = true;
    const adding: Promise<void>[] = [];
    const given = async function* () {
      yield* records(many(1));
      // What was added before it began is not in what it was given.
      for (const other of others) adding.push(addOn(other));
      yield* records(many(80));
    };
    const addOn = async (other: ProcessedIndex) => {
      while (going) {
        const one = sha256();
        await other.add({ profile: on.profile, sha256: one }, refused);
        added.push(one);
      }
    };
    await on.index.rebuild(on.profile, given());
    going = false;
    await Promise.all(adding);
    expect(added.length).toBeGreaterThan(0);
    expect(await on.index.lookup(on.profile, added)).toEqual(added.map(() => refused));
  }
});

test('two records of one content: the first one counts', async () => {
  const one = sha256();
  const twice = async function* () {
    yield { sha256: one, record: refused };
    yield { sha256: one, record: rebuilt };
    yield* records(many(100));
    yield { sha256: one, record: rebuilt };
  };
  expect(await on.index.rebuild(on.profile, twice())).toBe(101);
  expect(await on.index.lookup(on.profile, [one])).toEqual([refused]);
});

test('while the records of another program are in its place it takes over only at the switch', async () => {
  const one = sha256();
  await overwrite(on, on.keys.meta, formatMeta('0123456789abcdef').replace('1 ', '9 '));
  await overwrite(on, on.keys.generation('0123456789abcdef').record(one), 'rebuilt s3://clean/');
  const broken = async function* () {
    yield* records(many(1));
    throw new Error('broken off');
  };
  await expect(on.index.rebuild(on.profile, broken())).rejects.toThrow('broken off');
  expect(texts(await rawKeys(on, on.keys.generations))).toHaveLength(1);
  expect(await on.index.rebuild(on.profile, records([]))).toBe(0);
  expect(texts(await rawKeys(on, on.keys.generations))).toEqual([]);
});

test('whose switch was made but not answered fails, and what counts stays', async () => {
  const given = many(50);
  await add(on, sha256());
  const unanswered: Etcd = {
    ...on.etcd,
    txn: async (transaction) => {
      const answer = await on.etcd.txn(transaction);
      if (JSON.stringify(transaction.success ?? []).includes('count_only')) throw unavailable('cut off');
      return answer;
    },
  };
  const options = { prefix: on.prefix, profiles: [], log: recordingLog().log };
  const rebuilding = createEtcdIndex(unanswered, options).rebuild(on.profile, records(given));
  await expect(rebuilding).rejects.toThrow('cut off');
  expect(await on.index.lookup(on.profile, given)).toEqual(given.map(() => rebuilt));
  expect(await on.own.leases()).toBe(0);
});
