/** Port Locks on etcd: one key per content, its value the owner, on a lease of its own. */
import { checkedOwner, checkedTtl } from '../lock-terms.ts';
import type { LockInfo, Locks } from '../ports.ts';
import { found, type KeyValue, removedKey } from './answers.ts';
import { inBatches } from './batches.ts';
import type { Etcd } from './connect.ts';
import { etcdKeys } from './keys.ts';
import { createLeases, wholeSeconds } from './leases.ts';
import { checkedLock, freeLock, readFreed, readTaken, takeLock } from './lock-steps.ts';
import { get, getMany, type Operation, remove } from './transaction.ts';

const LIST_PAGE = 500;

/** Throws index.unavailable when etcd is away, index.invalid when something else has a lock's place. */
export function createEtcdLocks(etcd: Etcd, options: { prefix: string }): Locks {
  const keys = etcdKeys(options.prefix);
  const leases = createLeases(etcd);
  const one = async (operation: Operation) => (await etcd.txn({ success: [operation] })).responses[0];

  return {
    async acquire(key, owner, ttlMs) {
      const lock = keys.lock(key);
      const wanted = wholeSeconds(checkedTtl(ttlMs)) * 1000;
      checkedOwner(owner);
      const held = checkedLock(found(await one(get(lock)))[0], lock);
      if (held !== undefined) {
        if (held.value.toString() !== owner) return false;
        // To renew a lease writes nothing. Only one that is gone or of another length needs another.
        if ((await leases.renew(held.lease)) === wanted) return true;
      }
      const { taken } = await leases.lend(ttlMs, async (lease) =>
        readTaken(await one(takeLock(lock, owner, lease)), lock),
      );
      return taken;
    },
    async release(key, owner) {
      const lock = keys.lock(key);
      const lease = readFreed(await one(freeLock(lock, checkedOwner(owner))), lock);
      await leases.revoke(lease);
      return lease !== null;
    },

    async *list() {
      let from: Buffer | undefined;
      for (;;) {
        const answer = await one(getMany(keys.locks, { from, limit: LIST_PAGE }));
        const held = found(answer);
        yield* (await inBatches(held, 1, ([lock]) => readLock(lock))).flat();
        const last = held.at(-1);
        if (last === undefined || answer?.response_range?.more !== true) return;
        // The next key there can be.
        from = Buffer.concat([last.key, Buffer.from([0])]);
      }
    },
    async break(key) {
      const removed = removedKey(await one(remove(keys.lock(key))));
      await leases.revoke(removed?.lease);
      return removed !== undefined;
    },
  };

  async function readLock(held: KeyValue | undefined): Promise<LockInfo[]> {
    const key = held === undefined ? null : keys.parseLock(held.key);
    if (held === undefined || key === null) return [];
    checkedLock(held, keys.lock(key));
    const ttlMs = await leases.left(held.lease);
    // Freed since it was listed.
    return ttlMs === null ? [] : [{ key, owner: held.value.toString(), ttlMs }];
  }
}
