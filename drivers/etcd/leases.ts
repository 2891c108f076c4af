/** Leases: how etcd lets a key run out. Whoever frees what hangs on one revokes it. */
import { DriverError } from '../errors.ts';
import { ANSWER, NO_LEASE } from './answers.ts';
import type { Etcd } from './connect.ts';
import type { Taken } from './lock-steps.ts';
import { METHOD } from './methods.ts';

export type Leases = {
  /** Whole seconds, rounded up; etcd makes it 2 s or so at least. Returns its ID. */
  grant(ttlMs: number): Promise<string>;
  /** Grants one for a lock, and leaves none behind that no lock hangs on: the new one or the one before. */
  lend<T extends Taken>(ttlMs: number, take: (lease: string) => Promise<T>): Promise<T>;
  /** Its full time from now on, in milliseconds; null when it is gone. */
  renew(lease: string): Promise<number | null>;
  /** At most what is left of it, in milliseconds; null when it is gone. */
  left(lease: string): Promise<number | null>;
  /** What hangs on it goes too. One that can't be revoked now runs out by itself: that is no error. */
  revoke(lease: string | null | undefined): Promise<void>;
};

export function createLeases(etcd: Etcd): Leases {
  const leases: Leases = {
    async grant(ttlMs) {
      const granted = await etcd.call(METHOD.leaseGrant, { TTL: wholeSeconds(ttlMs) }, ANSWER.granted);
      return granted.ID;
    },
    async lend(ttlMs, take) {
      const lease = await leases.grant(ttlMs);
      try {
        const answer = await take(lease);
        if (!answer.taken) await leases.revoke(lease);
        else if (answer.before !== lease) await leases.revoke(answer.before);
        return answer;
      } catch (error) {
        // Without an answer the lock may be taken: it is the owner's then, as after a process that dies here.
        if (!(error instanceof DriverError && error.code === 'index.unavailable')) await leases.revoke(lease);
        throw error;
      }
    },
    async renew(lease) {
      const { TTL } = await etcd.call(METHOD.leaseKeepAlive, { ID: lease }, ANSWER.kept);
      return TTL > 0 ? TTL * 1000 : null;
    },
    async left(lease) {
      const { TTL, grantedTTL } = await etcd.call(METHOD.leaseTimeToLive, { ID: lease }, ANSWER.left);
      // etcd cuts to whole seconds: 0 is less than one.
      return TTL < 0 ? null : Math.min(TTL + 1, grantedTTL) * 1000;
    },
    async revoke(lease) {
      if (lease == null || lease === NO_LEASE) return;
      await etcd.call(METHOD.leaseRevoke, { ID: lease }, ANSWER.revoked).catch(() => {});
    },
  };
  return leases;
}

/** etcd takes no lease of more than 9,000,000,000 s, and knows no part of one. */
export function wholeSeconds(ttlMs: number): number {
  return Math.min(Math.ceil(ttlMs / 1000), 9_000_000_000);
}
