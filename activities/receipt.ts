/** The receipt: what the worker commits once beside a content, after it has verified an attempt's upload. */
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { DriverError } from '../drivers/errors.ts';
import { type Destination, SLOT } from '../drivers/ports.ts';
import { quarantineKey, receiptKey } from './keys.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const fingerprint = z.string().regex(/^[0-9a-f]{8}$/);
const stored = z.object({ key: z.string(), size: z.int().min(0), sha256 });

/** Fields that a newer release has added are left out: an older one must be able to read its receipts. */
const receiptFields = z.object({
  version: z.literal(1),
  sha256,
  size: z.int().min(0),
  profile: z.object({ name: z.string(), fingerprint, base: fingerprint.optional() }),
  /** The image as the profile names it, and what that was when it ran (`…@sha256:…`, as the kubelet says). */
  engine: z.object({ image: z.string(), digest: z.string().optional() }),
  verdict: z.enum(['rebuilt', 'refused']),
  /** Why it was refused. */
  reason: z.string().optional(),
  attempt: z.int().min(1),
  slot: z.string().regex(SLOT),
  pod: z.object({ name: z.string(), uid: z.string(), node: z.string().optional() }),
  exitCodes: z.record(z.string(), z.int()),
  times: z.object({
    createdAt: z.string().optional(),
    startedAt: z.string().optional(),
    finishedAt: z.string().optional(),
    engineSeconds: z.number().optional(),
  }),
  rebuilt: stored.optional(),
  /** The engine gave the same bytes back: it found nothing to remove. */
  sameBytes: z.boolean().optional(),
  report: stored.optional(),
  logs: z.array(z.string()),
  scan: z.string(),
  committedAt: z.string(),
});
// One that says rebuilt and names nothing would count as delivered.
export const receiptSchema = receiptFields.refine(
  ({ verdict, rebuilt }) => (verdict === 'rebuilt') === (rebuilt !== undefined),
);
export type Receipt = z.infer<typeof receiptSchema>;

/** `quarantined.json`: why a content has no result. Keys of what the last attempt left are the destination's. */
export const quarantineSchema = z.object({
  reason: z.string(),
  class: z.string().default('unknown'),
  attempts: z.int(),
  pod: z.string().optional(),
  logs: z.array(z.string()).default([]),
  report: z.string().optional(),
});
export type Quarantine = z.infer<typeof quarantineSchema>;
/** As it is written. */
export type NewQuarantine = z.input<typeof quarantineSchema>;

type Content = { sha256: string; fingerprint: string };
const DOCUMENT_LIMIT = 1024 * 1024;

/**
 * The content's receipt, or null when there is none. One that does not parse or belongs to something else
 * throws content.mismatch: it is neither "done" nor "new", and nothing may be written over it.
 */
export async function readReceipt(destination: Destination, content: Content): Promise<Receipt | null> {
  const key = receiptKey(content);
  const raw = await readDocument(destination, key);
  if (raw === null) return null;
  const parsed = receiptSchema.safeParse(parseJson(raw));
  const problem = !parsed.success
    ? 'does not parse'
    : parsed.data.sha256 !== content.sha256 || parsed.data.profile.fingerprint !== content.fingerprint
      ? 'belongs to another content or profile'
      : undefined;
  if (problem !== undefined || !parsed.success) {
    throw new DriverError(
      'content.mismatch',
      `The receipt ${key} ${problem}. Look at it, move its folder away, and scan again.`,
      { retryable: false },
    );
  }
  return parsed.data;
}

export async function readQuarantine(destination: Destination, content: Content): Promise<Quarantine | null> {
  const raw = await readDocument(destination, quarantineKey(content));
  if (raw === null) return null;
  return quarantineSchema.safeParse(parseJson(raw)).data ?? null;
}

async function readDocument(destination: Destination, key: string): Promise<string | null> {
  const found = await destination.read(key);
  if (found === null) return null;
  if (found.size > DOCUMENT_LIMIT) {
    discard(found.body);
    throw new DriverError(
      'content.mismatch',
      `${key} is ${found.size} bytes long and can't be one of ours.`,
      {
        retryable: false,
      },
    );
  }
  return text(found.body);
}

function discard(body: Readable): void {
  body.on('error', () => {});
  body.destroy();
}

function parseJson(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return undefined;
  }
}
