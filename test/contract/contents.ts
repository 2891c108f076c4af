/** Contents and records for tests of indexes and locks. */
import { randomBytes } from 'node:crypto';
import type { IndexRecord } from '../../drivers/ports.ts';

export const sha256 = () => randomBytes(32).toString('hex');
/** A profile of its own for each test. */
export const profile = () => randomBytes(4).toString('hex');
export const rebuilt: IndexRecord = { verdict: 'rebuilt', destination: 's3://clean/finance/' };
export const MINUTE = 60_000;
export const refused: IndexRecord = { verdict: 'refused', destination: 'file:///srv/clean%20side/' };
export const quarantined: IndexRecord = { verdict: 'quarantined', destination: 's3://clean/' };
/** As a forced run leaves it. */
export const forced: IndexRecord = {
  verdict: 'rebuilt',
  destination: 's3://clean/',
  fingerprint: '0123abcd',
};
