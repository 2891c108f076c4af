/** Many keys that run out together: a head, which holds nothing, has the lease that all of them hang on. */
import { found, NO_LEASE } from './answers.ts';
import { inBatches } from './batches.ts';
import type { Etcd } from './connect.ts';
import { foreignKey, isLeaseGone, unavailable } from './etcd-error.ts';
import type { Leases } from './leases.ts';
import { get, isAbsent, OPERATIONS, type Operation, put } from './transaction.ts';

export type LeaseHeads = {
  /** Its time renewed; null when there is none. Throws index.invalid where something else has the head's place. */
  leaseOf(head: string): Promise<string | null>;
  /** Puts under the head's lease, which is granted if need be. */
  putAll(head: string, values: ReadonlyMap<string, Buffer>): Promise<void>;
  /** One answer an operation, in order. */
  run(operations: readonly Operation[]): ReturnType<typeof runAll>;
};

export function createLeaseHeads(etcd: Etcd, leases: Leases, keepMs: number): LeaseHeads {
  const leaseOf = async (head: string): Promise<string | null> => {
    const [held] = found((await runAll(etcd, [get(head)]))[0]);
    if (held?.lease === NO_LEASE) throw foreignKey(head);
    return held === undefined || (await leases.renew(held.lease)) === null ? null : held.lease;
  };
  const begin = async (head: string): Promise<string> => {
    const lease = await leases.grant(keepMs);
    const { succeeded } = await etcd.txn({ compare: [isAbsent(head)], success: [put(head, '', lease)] });
    if (succeeded) return lease;
    await leases.revoke(lease);
    const others = await leaseOf(head);
    if (others !== null) return others;
    throw unavailable('What is remembered here runs out while it is written: try again');
  };
  return {
    leaseOf,
    async putAll(head, values) {
      const putUnder = (lease: string) =>
        runAll(
          etcd,
          [...values].map(([key, value]) => put(key, value, lease)),
        );
      await putUnder((await leaseOf(head)) ?? (await begin(head))).catch(async (error: unknown) => {
        if (!isLeaseGone(error)) throw error;
        // It ran out, or was revoked, a moment ago.
        await putUnder(await begin(head));
      });
    },
    run: (operations) => runAll(etcd, operations),
  };
}

async function runAll(etcd: Etcd, operations: readonly Operation[]) {
  const answers = await inBatches(operations, OPERATIONS, (success) => etcd.txn({ success: [...success] }));
  return answers.flatMap(({ responses }) => responses);
}
