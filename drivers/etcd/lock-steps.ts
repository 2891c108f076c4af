/** The steps that locks and index share: parts of one transaction, and what their answers say. */
import { found, type KeyValue, NO_LEASE, type OperationAnswer, removedKey } from './answers.ts';
import { foreignKey } from './etcd-error.ts';
import { get, holds, inner, isAbsent, isLeased, type Operation, put, remove } from './transaction.ts';

/** `before` is the lease that the owner had it on. */
export type Taken = { taken: boolean; before?: string | undefined };

/** Takes the lock if it is free, or if `owner` has it already. */
export function takeLock(lock: string, owner: string, lease: string): Operation {
  return inner({
    compare: [isAbsent(lock)],
    success: [put(lock, owner, lease)],
    failure: [retakeLock(lock, owner, lease)],
  });
}

export function readTaken(answer: OperationAnswer | undefined, lock: string): Taken {
  if (answer?.response_txn?.succeeded) return { taken: true };
  return readRetaken(answer?.response_txn?.responses[0], lock);
}

/** Moves the lock to this lease if `owner` has it. */
function retakeLock(lock: string, owner: string, lease: string): Operation {
  return inner({
    compare: [holds(lock, owner), isLeased(lock)],
    success: [get(lock), put(lock, owner, lease)],
    failure: [get(lock)],
  });
}

function readRetaken(answer: OperationAnswer | undefined, lock: string): Taken {
  const held = checkedLock(found(answer?.response_txn?.responses[0])[0], lock);
  return answer?.response_txn?.succeeded ? { taken: true, before: held?.lease } : { taken: false };
}

/** Deletes the lock if `owner` has it. */
export function freeLock(lock: string, owner: string): Operation {
  return inner({
    compare: [holds(lock, owner), isLeased(lock)],
    success: [remove(lock)],
    failure: [get(lock)],
  });
}

/** The lease of the lock that was freed; null when it was not the owner's. */
export function readFreed(answer: OperationAnswer | undefined, lock: string): string | null {
  const { succeeded, responses } = answer?.response_txn ?? { succeeded: false, responses: [] };
  if (succeeded) return removedKey(responses[0])?.lease ?? null;
  checkedLock(found(responses[0])[0], lock);
  return null;
}

/** A key without a lease is not a lock of ours, neither held nor free: throws index.invalid. */
export function checkedLock(held: KeyValue | undefined, lock: string): KeyValue | undefined {
  if (held?.lease === NO_LEASE) throw foreignKey(lock);
  return held;
}
