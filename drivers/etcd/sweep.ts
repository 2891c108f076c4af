/** Deletes many keys, a page at a time: etcd does nothing else while it deletes. */
import { found } from './answers.ts';
import type { Etcd } from './connect.ts';
import { prefixEnd } from './keys.ts';
import { type Comparison, getMany, removeRange } from './transaction.ts';

const PAGE = 1_000;

/**
 * Deletes what begins with `prefix`, but for what begins with one of `except`; all of these end in `/`. `guard`
 * must hold at each page; when it does not any more, another is at work here, and the rest is left to it.
 */
export async function sweep(
  etcd: Etcd,
  prefix: string,
  { except = [], guard = [] }: { except?: readonly string[]; guard?: Comparison[] } = {},
): Promise<void> {
  let from: Buffer | undefined;
  for (;;) {
    const { responses } = await etcd.txn({
      success: [getMany(prefix, { from, limit: PAGE, keys_only: true })],
    });
    const page = found(responses[0]).map(({ key }) => key);
    const [first] = page;
    if (first === undefined) return;
    const stays = except.find((one) => startsWith(first, one));
    if (stays !== undefined) {
      from = prefixEnd(stays);
      continue;
    }
    // Up to where something begins that stays.
    const stop = page.findIndex((key) => except.some((one) => startsWith(key, one)));
    const last = page[stop === -1 ? page.length - 1 : stop - 1] ?? first;
    from = Buffer.concat([last, Buffer.from([0])]);
    const { succeeded } = await etcd.txn({ compare: guard, success: [removeRange(first, from)] });
    if (!succeeded) return;
  }
}

function startsWith(key: Buffer, prefix: string): boolean {
  return key.subarray(0, prefix.length).equals(Buffer.from(prefix));
}
