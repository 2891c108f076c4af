/** Locks in memory, for workflow tests. Held to the same contract as the real ones. */
import { DriverError } from '../../drivers/errors.ts';
import type { ContentKey, Locks } from '../../drivers/ports.ts';

/** `now` is in milliseconds since the epoch: hand in another clock where time is skipped. */
export function createFakeLocks(now: () => number = Date.now): Locks {
  const held = new Map<string, { key: ContentKey; owner: string; until: number }>();
  const keyOf = ({ profile, sha256 }: ContentKey) => `${profile} ${sha256}`;
  const live = (key: ContentKey) => {
    const lock = held.get(keyOf(key));
    return lock !== undefined && lock.until > now() ? lock : undefined;
  };
  const hold = (key: ContentKey, owner: string, ttlMs: number) => {
    if (owner === '' || !Number.isSafeInteger(ttlMs) || ttlMs <= 0) {
      throw new DriverError('config.invalid', 'A lock needs an owner and a time to live', {
        retryable: false,
      });
    }
    held.set(keyOf(key), { key, owner, until: now() + ttlMs });
    return true;
  };

  return {
    acquire: async (key, owner, ttlMs) => (live(key)?.owner ?? owner) === owner && hold(key, owner, ttlMs),
    release: async (key, owner) => live(key)?.owner === owner && held.delete(keyOf(key)),
    async *list() {
      for (const { key, owner, until } of [...held.values()]) {
        if (live(key) !== undefined) yield { key, owner, ttlMs: until - now() };
      }
    },
    break: async (key) => live(key) !== undefined && held.delete(keyOf(key)),
  };
}
