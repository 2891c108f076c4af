/** What a transaction is made of. Texts are ASCII or UTF-8; etcd itself knows bytes only. */
import { prefixEnd } from './keys.ts';

export type Comparison = {
  key: Buffer;
  target: 'VERSION' | 'VALUE' | 'LEASE';
  result: 'EQUAL' | 'GREATER' | 'NOT_EQUAL';
} & ({ version: string } | { value: Buffer } | { lease: string });
type Range = { key: Buffer; range_end?: Buffer; limit?: number; keys_only?: boolean; count_only?: boolean };
export type Operation =
  | { request_range: Range }
  | { request_put: { key: Buffer; value: Buffer; lease?: string } }
  | { request_delete_range: { key: Buffer; range_end?: Buffer; prev_kv?: boolean } }
  | { request_txn: Transaction };
export type Transaction = { compare?: Comparison[]; success?: Operation[]; failure?: Operation[] };

/**
 * Comparisons, or operations, of one transaction, those of inner ones included: etcd takes 128 by default
 * (--max-txn-ops), and leaves an inner one no more than the outer one has not used.
 */
export const OPERATIONS = 100;

export const isThere = (key: string): Comparison => ({
  key: Buffer.from(key),
  target: 'VERSION',
  result: 'GREATER',
  version: '0',
});
export const isLeased = (key: string): Comparison => ({
  key: Buffer.from(key),
  target: 'LEASE',
  result: 'GREATER',
  lease: '0',
});
export const isAbsent = (key: string): Comparison => ({ ...isThere(key), result: 'EQUAL' });
/** False where there is no such key. */
export const holds = (key: string, value: string): Comparison => ({
  key: Buffer.from(key),
  target: 'VALUE',
  result: 'EQUAL',
  value: Buffer.from(value),
});
/** False, too, where there is no such key. */
export const holdsOther = (key: string, value: string): Comparison => ({
  ...holds(key, value),
  result: 'NOT_EQUAL',
});

export const get = (key: string): Operation => ({ request_range: { key: Buffer.from(key) } });
/** At most `limit` of the keys that begin with `prefix`, which ends in `/`, from `from` on. */
export const getMany = (
  prefix: string,
  { from, ...more }: { from?: Buffer | undefined; limit: number; keys_only?: boolean },
): Operation => ({
  request_range: { key: from ?? Buffer.from(prefix), range_end: prefixEnd(prefix), ...more },
});
export const count = (prefix: string): Operation => ({
  request_range: { key: Buffer.from(prefix), range_end: prefixEnd(prefix), count_only: true },
});
export const put = (key: string, value: string | Buffer, lease?: string): Operation => ({
  request_put: { key: Buffer.from(key), value: Buffer.from(value), ...(lease !== undefined && { lease }) },
});
/** The answer says what was removed. */
export const remove = (key: string): Operation => ({
  request_delete_range: { key: Buffer.from(key), prev_kv: true },
});
/** From the first key up to and without the end. */
export const removeRange = (key: Buffer, range_end: Buffer): Operation => ({
  request_delete_range: { key, range_end },
});
/** All keys that begin with `prefix`, which ends in `/`. */
export const removeMany = (prefix: string): Operation => removeRange(Buffer.from(prefix), prefixEnd(prefix));
export const inner = (transaction: Transaction): Operation => ({ request_txn: transaction });
