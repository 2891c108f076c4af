/**
 * What is remembered of a file, the same in every store, and for how long. A note is 41 bytes, or 50 with its
 * delivery: the content's raw sha256 first, where Redis' script looks for it.
 */
import { hash } from 'node:crypto';
import { DriverError } from './errors.ts';
import type { FileNote, NotedDelivery } from './ports.ts';
import { VERSION_BYTES, versionHash } from './seen-mark.ts';

const SHA256_BYTES = 32;
const STANDING_BYTES = 8;
const FORMAT = 1;
const FORMAT_AT = SHA256_BYTES;
const VERSION_AT = FORMAT_AT + 1;
const FLAGS_AT = VERSION_AT + VERSION_BYTES;
const STANDING_AT = FLAGS_AT + 1;
const END = STANDING_AT + STANDING_BYTES;

const REPORTS = [undefined, 'xml', 'json'] as const;
const SAME_BYTES = [undefined, false, true] as const;

/** Throws index.invalid for what is no sha256, or no hash of what stands. */
export function formatNote({ sha256, version, delivery }: FileNote & { version: string }): Buffer {
  const plain = [rawHash(sha256, SHA256_BYTES), Buffer.from([FORMAT]), versionHash(version)];
  if (delivery === undefined) return Buffer.concat(plain);
  const flags = REPORTS.indexOf(delivery.report) + 4 * SAME_BYTES.indexOf(delivery.sameBytes);
  return Buffer.concat([...plain, Buffer.from([flags]), rawHash(delivery.standing, STANDING_BYTES)]);
}

/** null: nothing was noted, or of another version, or what lies there is none of ours. */
export function parseNote(note: Uint8Array | null | undefined, version: string): FileNote | null {
  if (note == null || (note.length !== FLAGS_AT && note.length !== END) || note[FORMAT_AT] !== FORMAT)
    return null;
  const bytes = Buffer.from(note);
  if (!bytes.subarray(VERSION_AT, FLAGS_AT).equals(versionHash(version))) return null;
  const sha256 = bytes.toString('hex', 0, SHA256_BYTES);
  if (bytes.length === FLAGS_AT) return { sha256 };
  const delivery = parseFlags(bytes[FLAGS_AT] ?? 0);
  return delivery && { sha256, delivery: { ...delivery, standing: bytes.toString('hex', STANDING_AT, END) } };
}

function parseFlags(flags: number): Omit<NotedDelivery, 'standing'> | null {
  const [report, sameBytes] = [flags % 4, flags >> 2];
  return report < REPORTS.length && sameBytes < SAME_BYTES.length
    ? { report: REPORTS[report], sameBytes: SAME_BYTES[sameBytes] }
    : null;
}

function rawHash(hex: string, bytes: number): Buffer {
  if (hex.length === 2 * bytes && /^[0-9a-f]+$/.test(hex)) return Buffer.from(hex, 'hex');
  throw new DriverError('index.invalid', `A note needs ${2 * bytes} lower-case hex digits`, {
    retryable: false,
  });
}

/** Source and destination as one short word: neither is told to whoever may look at the keys. */
export function placeHash({ source, destination }: { source: string; destination: string }): string {
  return hash('sha256', JSON.stringify([source, destination]), 'hex').slice(0, 32);
}

/**
 * Notes lie in periods: what is asked for is taken over from the last one into this one, and a period as a whole
 * runs out when the next has passed. So a name that no scan meets is forgotten after 45 to 90 days.
 */
export const PERIOD_SECONDS = 45 * 24 * 3600;

export function periodsAt(
  nowMs: number,
  periodSeconds: number,
): { current: number; last: number; keepSeconds: number } {
  const current = Math.floor(nowMs / 1000 / periodSeconds);
  return { current, last: current - 1, keepSeconds: 2 * periodSeconds };
}
