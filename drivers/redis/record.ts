/** An exact record's text: `<verdict> <destination URL>`. */
import { z } from 'zod';
import { DriverError } from '../errors.ts';
import type { IndexRecord } from '../ports.ts';

const recordSchema = z.strictObject({
  verdict: z.enum(['rebuilt', 'refused', 'quarantined']),
  // A U+FFFD is what is left of bytes that were not text: no URL of ours holds one.
  destination: z.string().refine((text) => URL.canParse(text) && !text.includes('\uFFFD')),
});

/** Throws index.invalid rather than write what could not be read again. */
export function formatRecord(record: IndexRecord): string {
  const parsed = recordSchema.safeParse(record);
  if (!parsed.success) {
    throw new DriverError('index.invalid', 'A record needs a verdict and a destination URL', {
      retryable: false,
      cause: parsed.error,
    });
  }
  return `${parsed.data.verdict} ${parsed.data.destination}`;
}

/** A record that does not parse is neither new nor done: throws index.invalid with what to do. */
export function parseRecord(text: string, sha256: string): IndexRecord {
  const space = text.indexOf(' ');
  const parsed = recordSchema.safeParse({
    verdict: text.slice(0, Math.max(space, 0)),
    destination: text.slice(space + 1),
  });
  if (!parsed.success) {
    throw new DriverError(
      'index.invalid',
      `The record of content ${sha256} can't be read: make the index anew with \`pristine index rebuild\``,
      { retryable: false, cause: parsed.error },
    );
  }
  return parsed.data;
}
