/** On what terms a lock is held, checked before a store sees them. Both throw config.invalid. */
import { DriverError } from './errors.ts';

/** No store could tell an owner without a name from a free lock. */
export function checkedOwner(owner: string): string {
  if (owner !== '') return owner;
  throw new DriverError('config.invalid', 'A lock needs an owner', { retryable: false });
}

/** Milliseconds. A store takes 0 as "now", which would free the lock. */
export function checkedTtl(ttlMs: number): number {
  if (Number.isSafeInteger(ttlMs) && ttlMs > 0) return ttlMs;
  throw new DriverError('config.invalid', 'A lock lives for a whole number of milliseconds above 0', {
    retryable: false,
  });
}
