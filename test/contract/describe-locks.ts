/** What all Locks do. `make` gives some of which none is held. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ContentKey, LockInfo, Locks } from '../../drivers/ports.ts';

export type LocksUnderTest = { locks: Locks; close(): Promise<void> };

const MINUTE = 60_000;
const content = (profile = 'p1'): ContentKey => ({ profile, sha256: randomBytes(32).toString('hex') });

export function describeLocks(name: string, make: () => Promise<LocksUnderTest>): void {
  describe(`locks: ${name}`, () => {
    let made: LocksUnderTest;
    let locks: Locks;
    beforeAll(async () => {
      made = await make();
      locks = made.locks;
    });
    afterAll(() => made?.close());

    const listed = async (): Promise<LockInfo[]> => {
      const all: LockInfo[] = [];
      for await (const lock of locks.list()) all.push(lock);
      return all;
    };
    const find = async (key: ContentKey) => (await listed()).find((lock) => lock.key.sha256 === key.sha256);

    test('a free one is taken, a taken one is not', async () => {
      const key = content();
      expect(await locks.acquire(key, 'a', MINUTE)).toBe(true);
      expect(await locks.acquire(key, 'b', MINUTE)).toBe(false);
      expect((await find(key))?.owner).toBe('a');
    });

    test('of twenty racers one wins', async () => {
      const key = content();
      const racers = Array.from({ length: 20 }, (_, i) => `racer-${i}`);
      const won = await Promise.all(racers.map((owner) => locks.acquire(key, owner, MINUTE)));
      expect(won.filter(Boolean)).toHaveLength(1);
      expect((await find(key))?.owner).toBe(racers[won.indexOf(true)]);
    });

    test('whoever holds it acquires it again, and its time is renewed', async () => {
      const key = content();
      await locks.acquire(key, 'a', MINUTE);
      expect(await locks.acquire(key, 'a', 10 * MINUTE)).toBe(true);
      expect((await find(key))?.ttlMs).toBeGreaterThan(MINUTE);
    });

    test('nobody else renews it', async () => {
      const key = content();
      await locks.acquire(key, 'a', MINUTE);
      expect(await locks.acquire(key, 'b', 10 * MINUTE)).toBe(false);
      expect((await find(key))?.ttlMs).toBeLessThanOrEqual(MINUTE);
    });

    test('only the owner releases', async () => {
      const key = content();
      await locks.acquire(key, 'a', MINUTE);
      expect(await locks.release(key, 'b')).toBe(false);
      expect(await locks.acquire(key, 'b', MINUTE)).toBe(false);
      expect(await locks.release(key, 'a')).toBe(true);
      expect(await locks.release(key, 'a')).toBe(false);
      expect(await locks.acquire(key, 'b', MINUTE)).toBe(true);
    });

    test('it runs out, and is not the old owner’s any more', async () => {
      const key = content();
      await locks.acquire(key, 'a', 50);
      while (!(await locks.acquire(key, 'b', MINUTE))) await pause();
      expect(await locks.release(key, 'a')).toBe(false);
      expect(await locks.acquire(key, 'a', MINUTE)).toBe(false);
      expect((await find(key))?.owner).toBe('b');
    });

    test('what has run out is not listed', async () => {
      const key = content();
      await locks.acquire(key, 'a', 50);
      while ((await find(key)) !== undefined) await pause();
      expect(await locks.break(key)).toBe(false);
    });

    test('an operator breaks whoever’s', async () => {
      const key = content();
      await locks.acquire(key, 'a', MINUTE);
      expect(await locks.break(key)).toBe(true);
      expect(await locks.break(key)).toBe(false);
      expect(await locks.acquire(key, 'b', MINUTE)).toBe(true);
      expect(await locks.acquire(key, 'a', MINUTE)).toBe(false);
    });

    test('profiles do not share locks', async () => {
      const key = content('p1');
      expect(await locks.acquire(key, 'a', MINUTE)).toBe(true);
      expect(await locks.acquire({ ...key, profile: 'p2' }, 'b', MINUTE)).toBe(true);
      expect(await locks.release({ ...key, profile: 'p2' }, 'b')).toBe(true);
      expect((await find(key))?.owner).toBe('a');
    });

    test('all are listed, each once', async () => {
      const keys = Array.from({ length: 1200 }, () => content('listed'));
      await Promise.all(keys.map((key) => locks.acquire(key, `run of\n${key.sha256}`, MINUTE)));
      const mine = (await listed()).filter((lock) => lock.key.profile === 'listed');
      expect(mine.map((lock) => lock.key.sha256).sort()).toEqual(keys.map((key) => key.sha256).sort());
      for (const { key, owner, ttlMs } of mine) {
        expect(owner).toBe(`run of\n${key.sha256}`);
        expect(ttlMs).toBeGreaterThan(0);
        expect(ttlMs).toBeLessThanOrEqual(MINUTE);
      }
    });

    test('a time that is none, or nobody, is not taken', async () => {
      const key = content();
      await locks.acquire(key, 'a', MINUTE);
      const invalid = { code: 'config.invalid', retryable: false };
      for (const ttlMs of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
        await expect(locks.acquire(key, 'a', ttlMs)).rejects.toMatchObject(invalid);
      }
      await expect(locks.acquire(content(), '', MINUTE)).rejects.toMatchObject(invalid);
      expect((await find(key))?.owner).toBe('a');
    });
  });
}

async function pause(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 10));
}
