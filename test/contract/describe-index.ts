/** What every ProcessedIndex does. `make` gives an empty one, with the locks that its `add` frees. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { IndexRecord, Locks, ProcessedIndex } from '../../drivers/ports.ts';
import { forced, MINUTE, profile, quarantined, rebuilt, refused, sha256 } from './contents.ts';
import { testClaims } from './describe-claims.ts';

export type IndexUnderTest = { index: ProcessedIndex; locks: Locks; close(): Promise<void> };

export function describeIndex(name: string, make: () => Promise<IndexUnderTest>): void {
  describe(`index: ${name}`, () => {
    let made: IndexUnderTest;
    let index: ProcessedIndex;
    let locks: Locks;
    beforeAll(async () => {
      made = await make();
      ({ index, locks } = made);
    });
    afterAll(() => made?.close());

    test('an unknown content is new', async () => {
      expect(await index.lookup(profile(), [sha256()])).toEqual([null]);
    });

    test('a record comes back as it was given, with the fingerprint of a forced run', async () => {
      const p = profile();
      const key = { profile: p, sha256: sha256() };
      await index.add(key, forced);
      expect(await index.lookup(p, [key.sha256])).toEqual([forced]);
      const given = async function* () {
        yield { sha256: key.sha256, record: { ...forced, fingerprint: 'fedcba98' } };
      };
      expect(await index.rebuild(p, given())).toBe(1);
      expect(await index.lookup(p, [key.sha256])).toEqual([{ ...forced, fingerprint: 'fedcba98' }]);
      await index.add(key, rebuilt);
      expect(await index.lookup(p, [key.sha256])).toEqual([rebuilt]);
    });

    test('nothing asked is nothing answered', async () => {
      expect(await index.lookup(profile(), [])).toEqual([]);
    });

    test('each answer stands in the place of its question', async () => {
      const p = profile();
      const [a, b, c] = [sha256(), sha256(), sha256()];
      await index.add({ profile: p, sha256: a }, rebuilt);
      await index.add({ profile: p, sha256: b }, refused);
      await index.add({ profile: p, sha256: c }, quarantined);
      expect(await index.lookup(p, [sha256(), b, sha256(), c, a, b])).toEqual([
        null,
        refused,
        null,
        quarantined,
        rebuilt,
        refused,
      ]);
    });

    test('10,000 contents in one look-up', async () => {
      const p = profile();
      const all = Array.from({ length: 10_000 }, sha256);
      const done = all.filter((_, i) => i % 100 === 99);
      for (const one of done) await index.add({ profile: p, sha256: one }, rebuilt);
      const found = await index.lookup(p, all);
      expect(all.filter((_, i) => found[i] !== null)).toEqual(done);
    });

    test('a profile inherits nothing from another', async () => {
      const [p, one] = [profile(), sha256()];
      await index.add({ profile: p, sha256: one }, rebuilt);
      expect(await index.lookup(profile(), [one])).toEqual([null]);
    });

    test('adding again replaces the record', async () => {
      const key = { profile: profile(), sha256: sha256() };
      await index.add(key, quarantined);
      await index.add(key, rebuilt);
      expect(await index.lookup(key.profile, [key.sha256])).toEqual([rebuilt]);
    });

    test('add frees the lock of the owner who is named', async () => {
      const key = { profile: profile(), sha256: sha256() };
      await locks.acquire(key, 'run-1', 60_000);
      await index.add(key, rebuilt, 'run-1');
      expect(await locks.acquire(key, 'run-2', 60_000)).toBe(true);
      await locks.break(key);
    });

    test("add frees nobody else's lock", async () => {
      const key = { profile: profile(), sha256: sha256() };
      await locks.acquire(key, 'run-1', 60_000);
      await index.add(key, rebuilt, 'run-2');
      await index.add(key, rebuilt);
      expect(await locks.acquire(key, 'run-2', 60_000)).toBe(false);
      await locks.break(key);
    });

    testClaims(() => made);

    test('a forgotten content is new, until it is added again', async () => {
      const key = { profile: profile(), sha256: sha256() };
      const other = sha256();
      await index.add(key, quarantined);
      await index.add({ ...key, sha256: other }, rebuilt);
      await index.forget(key);
      expect(await index.lookup(key.profile, [key.sha256, other])).toEqual([null, rebuilt]);
      await index.add(key, rebuilt);
      expect(await index.lookup(key.profile, [key.sha256])).toEqual([rebuilt]);
    });

    test('forgetting what is not there is no error', async () => {
      await index.forget({ profile: profile(), sha256: sha256() });
    });

    test('what is no sha256, or no record, is not taken', async () => {
      const p = profile();
      const invalid = { code: 'index.invalid', retryable: false };
      for (const wrong of ['', 'abc', sha256().toUpperCase(), `${sha256()}00`, `${sha256()}\n`]) {
        await expect(index.lookup(p, [wrong])).rejects.toMatchObject(invalid);
        await expect(index.add({ profile: p, sha256: wrong }, rebuilt)).rejects.toMatchObject(invalid);
        await expect(index.forget({ profile: p, sha256: wrong })).rejects.toMatchObject(invalid);
        await expect(index.claim({ profile: p, sha256: wrong }, 'run', MINUTE)).rejects.toMatchObject(
          invalid,
        );
      }
      const nowhere: IndexRecord = { verdict: 'rebuilt', destination: 'nowhere' };
      const odd: IndexRecord = { ...rebuilt, fingerprint: 'not hex!' };
      for (const record of [nowhere, odd]) {
        await expect(index.add({ profile: p, sha256: sha256() }, record)).rejects.toMatchObject(invalid);
      }
    });

    test('check passes, empty and in use', async () => {
      await index.check();
      await index.add({ profile: profile(), sha256: sha256() }, rebuilt);
      await index.check();
    });

    test('rebuild leaves exactly what it was given', async () => {
      const p = profile();
      const old = sha256();
      const given = Array.from({ length: 1201 }, sha256);
      await index.add({ profile: p, sha256: old }, rebuilt);
      expect(await index.rebuild(p, each(given))).toBe(given.length);
      const found = await index.lookup(p, [...given, old]);
      expect(found).toEqual([...given.map(() => refused), null]);
      await index.check();
    });

    test('rebuild from nothing leaves nothing', async () => {
      const [p, one] = [profile(), sha256()];
      await index.add({ profile: p, sha256: one }, rebuilt);
      expect(await index.rebuild(p, each([]))).toBe(0);
      expect(await index.lookup(p, [one])).toEqual([null]);
      await index.add({ profile: p, sha256: one }, rebuilt);
      expect(await index.lookup(p, [one])).toEqual([rebuilt]);
    });

    test('while a rebuild goes on, the old answers, and what changes is kept', async () => {
      const p = profile();
      const [old, added, changed, forgotten, back] = Array.from({ length: 5 }, sha256) as [
        string,
        string,
        string,
        string,
        string,
      ];
      await index.add({ profile: p, sha256: old }, rebuilt);
      const given = [...Array.from({ length: 1200 }, sha256), forgotten, changed, back];
      let meanwhile: unknown;
      const records = async function* () {
        yield* each(given.slice(0, 1000));
        await index.add({ profile: p, sha256: added }, rebuilt);
        await index.add({ profile: p, sha256: changed }, rebuilt);
        for (const one of [forgotten, back, given[0] ?? '']) await index.forget({ profile: p, sha256: one });
        await index.add({ profile: p, sha256: back }, rebuilt);
        meanwhile = await index.lookup(p, [old, added, changed, given[1] ?? '']);
        yield* each(given.slice(1000));
      };
      expect(await index.rebuild(p, records())).toBe(given.length - 1);
      expect(meanwhile).toEqual([rebuilt, rebuilt, rebuilt, null]);
      expect(await index.lookup(p, [old, added, changed, forgotten, given[0] ?? '', back])).toEqual([
        null,
        rebuilt,
        rebuilt,
        null,
        null,
        rebuilt,
      ]);
    });

    test('a rebuild that breaks off changes nothing', async () => {
      const [p, old, fresh] = [profile(), sha256(), sha256()];
      await index.add({ profile: p, sha256: old }, rebuilt);
      const records = async function* () {
        yield* each([fresh]);
        throw new Error('receipts are unreadable');
      };
      await expect(index.rebuild(p, records())).rejects.toThrow('receipts are unreadable');
      expect(await index.lookup(p, [old, fresh])).toEqual([rebuilt, null]);
      expect(await index.rebuild(p, each([fresh]))).toBe(1);
      expect(await index.lookup(p, [old, fresh])).toEqual([null, refused]);
    });

    test('adding one content from many sides leaves one record', async () => {
      const key = { profile: profile(), sha256: sha256() };
      await Promise.all(Array.from({ length: 20 }, () => index.add(key, rebuilt, randomUUID())));
      expect(await index.lookup(key.profile, [key.sha256])).toEqual([rebuilt]);
    });
  });
}

async function* each(sha256s: readonly string[]) {
  for (const one of sha256s) yield { sha256: one, record: refused };
}
