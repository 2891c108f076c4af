/** What is quarantined in a destination, from the notes that lie beside the contents. */
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import type { Destination } from '../drivers/ports.ts';
import { parseContentKey, quarantineKey, receiptKey } from './keys.ts';
import { quarantineSchema } from './receipt.ts';

const documentSchema = quarantineSchema.extend({
  /** Of a forced scan: the fingerprint that index and lock go by. */
  base: z
    .string()
    .regex(/^[0-9a-f]{8}$/)
    .optional()
    .catch(undefined),
  /** When, ISO 8601. */
  at: z.string().default(''),
});

/** One quarantined content under one profile fingerprint. */
export type QuarantineNote = z.infer<typeof documentSchema> & { sha256: string; fingerprint: string };

/** A note that is no JSON of ours still quarantines its content, and can be cleared. */
const UNREADABLE = documentSchema.parse({ reason: 'its note can not be read', attempts: 0 });
const NOTE_LIMIT = 1024 * 1024;

type Contents = Pick<Destination, 'list' | 'read'>;

/**
 * The notes of a destination, or of one content, in the order of their keys; memory stays flat. A content that has a
 * receipt as well is done, and its note is left over.
 */
export async function* quarantineNotes(
  destination: Contents,
  { sha256 }: { sha256?: string | undefined } = {},
): AsyncGenerator<QuarantineNote> {
  for await (const content of notedContents(destination, sha256)) {
    const note = await readNote(destination, content);
    // Else somebody has cleared it since it was listed.
    if (note !== null) yield note;
  }
}

async function* notedContents(
  destination: Contents,
  sha256: string | undefined,
): AsyncGenerator<{ sha256: string; fingerprint: string }> {
  const prefix = sha256 === undefined ? 'content/' : `content/${sha256.slice(0, 2)}/${sha256}/`;
  let noted: { sha256: string; fingerprint: string } | undefined;
  // In byte order a content's receipt comes right after its note.
  for await (const { key } of destination.list(prefix)) {
    if (noted !== undefined && Buffer.from(key).toString('latin1') !== receiptKey(noted)) yield noted;
    const content = parseContentKey(key);
    noted = content?.rest === 'quarantined.json' ? content : undefined;
  }
  if (noted !== undefined) yield noted;
}

/** null when there is none. */
export async function readNote(
  destination: Contents,
  { sha256, fingerprint }: { sha256: string; fingerprint: string },
): Promise<QuarantineNote | null> {
  const found = await destination.read(quarantineKey({ sha256, fingerprint }));
  if (found === null) return null;
  if (found.size > NOTE_LIMIT) {
    found.body.on('error', () => {}).destroy();
    return { ...UNREADABLE, sha256, fingerprint };
  }
  return { ...parseNote(await text(found.body)), sha256, fingerprint };
}

function parseNote(raw: string): z.infer<typeof documentSchema> {
  try {
    return documentSchema.safeParse(JSON.parse(raw)).data ?? UNREADABLE;
  } catch {
    return UNREADABLE;
  }
}
