/** What every ProcessedIndex does when it is asked to look up and lock in one step. */
import { beforeAll, expect, test } from '@jest/globals';
import type { ContentKey, LockInfo, Locks, ProcessedIndex } from '../../drivers/ports.ts';
import { forced, MINUTE, profile, quarantined, rebuilt, refused, sha256 } from './contents.ts';

/** Part of describeIndex, whose beforeAll has made them. */
export function testClaims(made: () => { index: ProcessedIndex; locks: Locks }): void {
  let index: ProcessedIndex;
  let locks: Locks;
  beforeAll(() => {
    ({ index, locks } = made());
  });
  const lockOf = async ({ sha256 }: ContentKey): Promise<LockInfo | undefined> => {
    for await (const lock of locks.list()) if (lock.key.sha256 === sha256) return lock;
    return undefined;
  };

  test('claiming what is done gives its record and locks nothing', async () => {
    const p = profile();
    for (const record of [rebuilt, refused, quarantined, forced]) {
      const key = { profile: p, sha256: sha256() };
      await index.add(key, record);
      expect(await index.claim(key, 'run-1', MINUTE)).toEqual({ kind: 'done', record });
      expect(await lockOf(key)).toBeUndefined();
    }
  });

  test('claiming what is new locks it, to be seen and freed as any lock', async () => {
    const key = { profile: profile(), sha256: sha256() };
    await index.add({ ...key, sha256: sha256() }, rebuilt);
    expect(await index.claim(key, 'run-1', MINUTE)).toEqual({ kind: 'claimed' });
    const lock = await lockOf(key);
    expect(lock).toEqual({ key, owner: 'run-1', ttlMs: expect.any(Number) });
    expect(lock?.ttlMs).toBeGreaterThan(0);
    expect(lock?.ttlMs).toBeLessThanOrEqual(MINUTE);
    expect(await locks.acquire(key, 'run-1', MINUTE)).toBe(true);
    expect(await locks.release(key, 'run-1')).toBe(true);
    expect(await index.lookup(key.profile, [key.sha256])).toEqual([null]);
  });

  test('what another holds is held, however it was taken, and its time is not touched', async () => {
    const [acquired, claimed] = [
      { profile: profile(), sha256: sha256() },
      { profile: profile(), sha256: sha256() },
    ];
    await locks.acquire(acquired, 'run-1', MINUTE);
    await index.claim(claimed, 'run-1', MINUTE);
    for (const key of [acquired, claimed]) {
      expect(await index.claim(key, 'run-2', 10 * MINUTE)).toEqual({ kind: 'held' });
      expect(await locks.acquire(key, 'run-2', 10 * MINUTE)).toBe(false);
      const lock = await lockOf(key);
      expect(lock?.owner).toBe('run-1');
      expect(lock?.ttlMs).toBeLessThanOrEqual(MINUTE);
      await locks.break(key);
    }
  });

  test('whoever holds it claims it again, and its time is renewed', async () => {
    const key = { profile: profile(), sha256: sha256() };
    await index.claim(key, 'run-1', MINUTE);
    expect(await index.claim(key, 'run-1', 10 * MINUTE)).toEqual({ kind: 'claimed' });
    expect((await lockOf(key))?.ttlMs).toBeGreaterThan(MINUTE);
    await locks.break(key);
  });

  test('a claim that ran out is free', async () => {
    const key = { profile: profile(), sha256: sha256() };
    await index.claim(key, 'run-1', 1);
    await expectSoon(() => index.claim(key, 'run-2', MINUTE), { kind: 'claimed' });
    expect((await lockOf(key))?.owner).toBe('run-2');
    await locks.break(key);
  });

  test('of twenty racers one claims it, and after it is done none', async () => {
    const key = { profile: profile(), sha256: sha256() };
    const racers = Array.from({ length: 20 }, (_, i) => `racer-${i}`);
    const race = () => Promise.all(racers.map((owner) => index.claim(key, owner, MINUTE)));
    const kinds = (await race()).map((claim) => claim.kind);
    expect(kinds.filter((kind) => kind === 'claimed')).toHaveLength(1);
    expect(kinds.filter((kind) => kind === 'held')).toHaveLength(19);
    const winner = racers[kinds.indexOf('claimed')] ?? '';
    expect((await lockOf(key))?.owner).toBe(winner);
    await index.add(key, rebuilt, winner);
    for (const claim of await race()) expect(claim).toEqual({ kind: 'done', record: rebuilt });
    expect(await lockOf(key)).toBeUndefined();
  });

  test('what was done while another still holds its lock is done', async () => {
    const key = { profile: profile(), sha256: sha256() };
    await index.claim(key, 'run-1', MINUTE);
    await index.add(key, rebuilt, 'run-2');
    expect(await index.claim(key, 'run-2', MINUTE)).toEqual({ kind: 'done', record: rebuilt });
    await locks.break(key);
  });

  test('what was forgotten can be claimed', async () => {
    const key = { profile: profile(), sha256: sha256() };
    await index.add(key, quarantined);
    await index.forget(key);
    expect(await index.claim(key, 'run-1', MINUTE)).toEqual({ kind: 'claimed' });
    await locks.break(key);
  });

  test('claiming needs an owner and a time to live', async () => {
    const key = { profile: profile(), sha256: sha256() };
    const invalid = { code: 'config.invalid', retryable: false };
    await expect(index.claim(key, '', MINUTE)).rejects.toMatchObject(invalid);
    for (const ttlMs of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      await expect(index.claim(key, 'run-1', ttlMs)).rejects.toMatchObject(invalid);
    }
    expect(await lockOf(key)).toBeUndefined();
  });
}

/** A store frees what ran out in its own time. */
async function expectSoon(ask: () => Promise<unknown>, wanted: unknown): Promise<void> {
  const until = Date.now() + 30_000;
  for (;;) {
    const answer = await ask();
    if (Date.now() > until || JSON.stringify(answer) === JSON.stringify(wanted)) {
      expect(answer).toEqual(wanted);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
