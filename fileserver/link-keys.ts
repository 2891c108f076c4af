import { type KeyRing, keyRingSchema } from '../drivers/key-ring.ts';

/** Keys that links are signed with, newest first: the first signs, all verify. */
export type LinkKeys = KeyRing;

/**
 * The key ring as it stands in the environment: `id:secret`, several separated by commas, the signing one
 * first. To rotate: put a new key behind it on all workers, then in front, wait until links of the old one have
 * expired, take that out.
 */
export const linkKeysSchema = keyRingSchema;
