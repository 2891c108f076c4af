import { z } from 'zod';

/** Keys that links are signed with, newest first: the first signs, all verify. */
export type LinkKeys = readonly [LinkKey, ...LinkKey[]];
export type LinkKey = { id: string; secret: string };

const linkKey = z.strictObject({
  id: z.string().regex(/^[a-z0-9]{1,16}$/, 'an id is 1 to 16 lower-case letters or digits'),
  secret: z.string().min(32, 'a secret has at least 32 characters'),
});

/**
 * The key ring as it stands in the environment: `id:secret`, several separated by commas, the signing one
 * first. To rotate: put a new key in front, wait until links of the old one have expired, take that out.
 */
export const linkKeysSchema = z
  .string()
  .transform((text) => text.split(',').map(splitKey))
  .pipe(z.tuple([linkKey], linkKey))
  .refine((keys) => new Set(keys.map(({ id }) => id)).size === keys.length, 'each id stands there once');

function splitKey(text: string): LinkKey {
  const colon = text.indexOf(':');
  return { id: text.slice(0, Math.max(colon, 0)).trim(), secret: text.slice(colon + 1).trim() };
}
