/** What a watching scan remembers of a file, the same in every store: hashes, since it can be a million files. */
import { hash } from 'node:crypto';
import { DriverError } from './errors.ts';
import type { NameBytes, SeenMark } from './ports.ts';

export const VERSION_BYTES = 8;

/** 16 bytes: among a million names, two are alike with odds of 1 in 10^26. */
export function nameHash(name: NameBytes): Buffer {
  return hash('sha256', name, 'buffer').subarray(0, 16);
}

/** The version's hash; after it, of a quarantined content, the 32 raw bytes of its sha256. Throws index.invalid. */
export function formatMark({ version, quarantined }: { version: string } & SeenMark): Buffer {
  const of = versionHash(version);
  if (quarantined === undefined) return of;
  if (/^[0-9a-f]{64}$/.test(quarantined)) return Buffer.concat([of, Buffer.from(quarantined, 'hex')]);
  throw new DriverError('index.invalid', 'A mark needs a sha256 in 64 lower-case hex digits', {
    retryable: false,
  });
}

/** null: nothing was marked, or another version. */
export function parseMark(value: Buffer | null | undefined, version: string): SeenMark | null {
  if (!value?.subarray(0, VERSION_BYTES).equals(versionHash(version))) return null;
  const content = value.subarray(VERSION_BYTES);
  return content.length === 0 ? {} : { quarantined: content.toString('hex') };
}

/** 8 bytes: a change goes unnoticed with odds of 1 in 10^19. */
export function versionHash(version: string): Buffer {
  return hash('sha256', version, 'buffer').subarray(0, VERSION_BYTES);
}
