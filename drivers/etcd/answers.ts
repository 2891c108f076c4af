/** What etcd answers, checked: a server that says something else is not taken at its word. */
import { z } from 'zod';

const bytes = z.custom<Buffer>((value) => Buffer.isBuffer(value));
/** Texts, as a lease's ID needs all 64 bits. */
const int64 = z.string().regex(/^-?\d+$/);
const size = int64.transform(Number);

const keyValue = z.object({ key: bytes, value: bytes, lease: int64 });
export type KeyValue = z.infer<typeof keyValue>;

const range = z.object({ kvs: z.array(keyValue), more: z.boolean(), count: size });
const removed = z.object({ deleted: size, prev_kvs: z.array(keyValue) });
const operation = z.object({
  response_range: range.optional(),
  response_delete_range: removed.optional(),
  get response_txn() {
    return transaction.optional();
  },
});
const transaction = z.object({
  succeeded: z.boolean(),
  get responses() {
    return z.array(operation);
  },
});

export type OperationAnswer = z.infer<typeof operation>;
export type TransactionAnswer = z.infer<typeof transaction>;

export const ANSWER = {
  transaction,
  granted: z.object({ ID: int64 }),
  revoked: z.object({}),
  /** A lease that is gone has a time to live of 0 or less. Seconds. */
  kept: z.object({ TTL: size }),
  left: z.object({ TTL: size, grantedTTL: size }),
  /** `dbSizeQuota` is 0 before etcd 3.6. Bytes. */
  status: z.object({ dbSize: size, dbSizeQuota: size, errors: z.array(z.string()) }),
  signedIn: z.object({ token: z.string().min(1) }),
} as const;

/** No lease hangs on a key that Pristine did not put under one. */
export const NO_LEASE = '0';

/** The keys that a get or getMany found. */
export function found(answer: OperationAnswer | undefined): KeyValue[] {
  return answer?.response_range?.kvs ?? [];
}

/** What a remove removed. */
export function removedKey(answer: OperationAnswer | undefined): KeyValue | undefined {
  return answer?.response_delete_range?.prev_kvs[0];
}
