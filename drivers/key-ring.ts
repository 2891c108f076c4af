import { z } from 'zod';

/** Keys that rotate, newest first: the first makes, all are honoured. */
export type KeyRing = readonly [NamedKey, ...NamedKey[]];
export type NamedKey = { id: string; secret: string };

const namedKey = z.strictObject({
  id: z.string().regex(/^[a-z0-9]{1,16}$/, 'an id is 1 to 16 lower-case letters or digits'),
  secret: z.string().min(32, 'a secret has at least 32 characters'),
});

/** As it stands in the environment: `id:secret`, several separated by commas, the one in use first. */
export const keyRingSchema = z
  .string()
  .transform((text) => text.split(',').map(splitKey))
  .pipe(z.tuple([namedKey], namedKey))
  .refine((keys) => new Set(keys.map(({ id }) => id)).size === keys.length, 'each id stands there once');

function splitKey(text: string): NamedKey {
  const colon = text.indexOf(':');
  return { id: text.slice(0, Math.max(colon, 0)).trim(), secret: text.slice(colon + 1).trim() };
}
