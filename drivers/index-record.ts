/**
 * An exact record's text, the same in every store: `<verdict> <destination URL>`, or, where a forced run made
 * the result, `<verdict> <fingerprint> <destination URL>`. No URL begins with 8 hex digits and a space.
 */
import { z } from 'zod';
import { DriverError } from './errors.ts';
import type { IndexRecord } from './ports.ts';

const recordSchema = z.strictObject({
  verdict: z.enum(['rebuilt', 'refused', 'quarantined']),
  // A U+FFFD is what is left of bytes that were not text: no URL of ours holds one.
  destination: z.string().refine((text) => URL.canParse(text) && !text.includes('\uFFFD')),
  fingerprint: z
    .string()
    .regex(/^[0-9a-f]{8}$/)
    .optional(),
});
const TEXT = /^(?<verdict>[a-z]+) (?:(?<fingerprint>[0-9a-f]{8}) )?(?<destination>.*)$/s;

/** Throws index.invalid rather than write what could not be read again. */
export function formatRecord(record: IndexRecord): string {
  const parsed = recordSchema.safeParse(record);
  if (!parsed.success) {
    throw new DriverError(
      'index.invalid',
      'A record needs a verdict and a destination URL; its fingerprint, if any, is 8 hex digits',
      { retryable: false, cause: parsed.error },
    );
  }
  const { verdict, fingerprint, destination } = parsed.data;
  return [verdict, fingerprint, destination].filter((part) => part !== undefined).join(' ');
}

/** A record that does not parse is neither new nor done: throws index.invalid with what to do. */
export function parseRecord(text: string, sha256: string): IndexRecord {
  const parsed = recordSchema.safeParse({ ...TEXT.exec(text)?.groups });
  if (!parsed.success) {
    throw new DriverError(
      'index.invalid',
      `The record of content ${sha256} can't be read: make the index anew with \`pristine index rebuild\``,
      { retryable: false, cause: parsed.error },
    );
  }
  const { verdict, destination, fingerprint } = parsed.data;
  return { verdict, destination, ...(fingerprint !== undefined && { fingerprint }) };
}
