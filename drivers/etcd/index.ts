/** Port ProcessedIndex on etcd: exact records only. See keys.ts for what lies where. */
import type { Logger } from '../events.ts';
import { formatRecord, parseRecord } from '../index-record.ts';
import { checkedOwner, checkedTtl } from '../lock-terms.ts';
import type { IndexRecord, ProcessedIndex } from '../ports.ts';
import { found } from './answers.ts';
import { inBatches } from './batches.ts';
import type { Etcd } from './connect.ts';
import { createIndexCheck } from './index-check.ts';
import { rebuildIndex } from './index-rebuild.ts';
import { createIndexStates } from './index-state.ts';
import { checkedSha256, etcdKeys } from './keys.ts';
import { createLeases } from './leases.ts';
import { freeLock, readFreed, readTaken, type Taken, takeLock } from './lock-steps.ts';
import { get, inner, isThere, OPERATIONS, type Operation, put, remove } from './transaction.ts';

export type EtcdIndexOptions = {
  /** Prefix of every key; sets installations apart. */
  prefix: string;
  /** Fingerprints of the profiles that check() looks at, besides those used since the start. */
  profiles: readonly string[];
  log: Logger;
};

type Claim = Taken & { done?: IndexRecord };

/** Throws index.unavailable when etcd is away, index.invalid when what it holds is not ours or not readable. */
export function createEtcdIndex(etcd: Etcd, options: EtcdIndexOptions): ProcessedIndex {
  const keys = etcdKeys(options.prefix);
  const leases = createLeases(etcd);
  const states = createIndexStates(etcd);
  const profiles = new Set(options.profiles);
  const check = createIndexCheck({ etcd, states, log: options.log });
  const keysOf = (profile: string) => {
    const ofProfile = keys.profile(profile);
    profiles.add(profile);
    return ofProfile;
  };

  return {
    check: () => check([...profiles].map((profile) => keys.profile(profile))),

    async lookup(profile, sha256s) {
      const at = keysOf(profile);
      for (const sha256 of sha256s) checkedSha256(sha256);
      const pages = await inBatches(sha256s, OPERATIONS, async (page): Promise<(IndexRecord | null)[]> => {
        const answers = await states.run(at, {
          operations: ({ generation }) => page.map((sha256) => get(at.generation(generation).record(sha256))),
        });
        return page.map((sha256, i) => {
          const [record] = found(answers?.[i]);
          return record === undefined ? null : parseRecord(record.value.toString(), sha256);
        });
      });
      return pages.flat();
    },

    async claim(key, owner, ttlMs) {
      const [at, lock] = [keysOf(key.profile), keys.lock(key)];
      checkedOwner(owner);
      const claim = await leases.lend(checkedTtl(ttlMs), async (lease): Promise<Claim> => {
        const answers = await states.run(at, {
          create: true,
          operations: ({ generation }) => [claimContent(at.generation(generation).record(key.sha256), lease)],
        });
        const answer = answers?.[0]?.response_txn;
        if (!answer?.succeeded) return readTaken(answer?.responses[0], lock);
        const [done] = found(answer.responses[0]);
        return { taken: false, done: parseRecord(done?.value.toString() ?? '', key.sha256) };
      });
      if (claim.done !== undefined) return { kind: 'done', record: claim.done };
      return { kind: claim.taken ? 'claimed' : 'held' };

      function claimContent(record: string, lease: string): Operation {
        const take = takeLock(lock, owner, lease);
        return inner({ compare: [isThere(record)], success: [get(record)], failure: [take] });
      }
    },

    async add(key, record, unlockOwner) {
      const [at, lock] = [keysOf(key.profile), keys.lock(key)];
      const text = formatRecord(record);
      const answers = await states.run(at, {
        create: true,
        withBuild: true,
        operations: ({ generation, build }) => [
          ...(unlockOwner ? [freeLock(lock, unlockOwner)] : []),
          ...[generation, ...(build === null ? [] : [build])].map((one) =>
            put(at.generation(one).record(key.sha256), text),
          ),
        ],
      });
      if (unlockOwner) await leases.revoke(readFreed(answers?.[0], lock));
    },

    async forget(key) {
      const at = keysOf(key.profile);
      checkedSha256(key.sha256);
      await states.run(at, {
        withBuild: true,
        operations: ({ generation, build }) => [
          remove(at.generation(generation).record(key.sha256)),
          ...(build === null
            ? []
            : [
                remove(at.generation(build).record(key.sha256)),
                put(at.generation(build).forgotten(key.sha256), ''),
              ]),
        ],
      });
    },

    async rebuild(profile, records) {
      return rebuildIndex({ etcd, leases, keys: keysOf(profile), log: options.log }, profile, records);
    },
  };
}
