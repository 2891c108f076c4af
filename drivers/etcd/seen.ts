/** Port SeenFiles on etcd: one key per name. Short hashes, since etcd keeps every key in memory. */
import type { NameBytes, SeenFiles } from '../ports.ts';
import { formatMark, nameHash, parseMark } from '../seen-mark.ts';
import { found } from './answers.ts';
import type { Etcd } from './connect.ts';
import { etcdKeys } from './keys.ts';
import { createLeaseHeads } from './lease-heads.ts';
import { createLeases } from './leases.ts';
import { sweep } from './sweep.ts';
import { get } from './transaction.ts';

/** A scan that was terminated forgets nothing itself; one that goes on renews this with every page. */
const KEEP_SECONDS = 7 * 24 * 3600;

export type EtcdSeenOptions = {
  prefix: string;
  /** Seconds that a scan which neither asks nor marks is remembered for. Default: a week. */
  keepSeconds?: number;
};

/** Throws index.unavailable when etcd is away, index.invalid when something else has the keys' place. */
export function createEtcdSeen(etcd: Etcd, options: EtcdSeenOptions): SeenFiles {
  const keys = etcdKeys(options.prefix);
  const leases = createLeases(etcd);
  const heads = createLeaseHeads(etcd, leases, (options.keepSeconds ?? KEEP_SECONDS) * 1000);
  const fileKey = (scan: string, name: NameBytes) =>
    keys.seen(scan).files + nameHash(name).toString('base64url');

  return {
    async seen(scan, files) {
      if (files.length === 0) return [];
      if ((await heads.leaseOf(keys.seen(scan).scan)) === null) return files.map(() => null);
      const answers = await heads.run(files.map(({ name }) => get(fileKey(scan, name))));
      return files.map(({ version }, i) => parseMark(found(answers[i])[0]?.value, version));
    },
    async mark(scan, files) {
      if (files.length === 0) return;
      // A name that comes twice would make two puts of one key, which etcd does not take: the last one counts.
      const marks = new Map(files.map((file) => [fileKey(scan, file.name), formatMark(file)]));
      await heads.putAll(keys.seen(scan).scan, marks);
    },
    async forget(scan) {
      const lease = await heads.leaseOf(keys.seen(scan).scan);
      // First the keys: a lease takes all of its keys away in one step.
      await sweep(etcd, keys.seen(scan).all);
      await leases.revoke(lease);
    },
  };
}
