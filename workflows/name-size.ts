/** Names can be 4 KB long, and JSON writes a control character six times as long: pages and batches go by size too. */
import type { FileName } from './contract.ts';

type Named = { name: FileName };

/** Names in one payload, in bytes of JSON: Temporal refuses a payload of 2 MB. */
export const PAYLOAD_NAMES = 256 * 1024;
/** Files that a scan holds in all, its state when it continues as new, in bytes of JSON: a page may come on top. */
export const HELD_SIZE = 1024 * 1024;

/** What one batch of settled files may come to as well: in bytes of JSON, and in bytes of the files. */
const BATCH_JSON = 512 * 1024;
const BATCH_BYTES = 1024 * 1024 * 1024;

/** Bytes of a value's JSON. */
export function jsonSize(value: unknown): number {
  return utf8Length(JSON.stringify(value));
}

/** Bytes that these names take up in a payload. */
export function nameSize(files: Iterable<Named>): number {
  let size = 0;
  for (const { name } of files) size += jsonSize(name);
  return size;
}

const sizes = new WeakMap<object, number>();

/** Bytes that these files' entries take up in a payload; each is measured once, since they do not change. */
export function entrySize(files: Iterable<Named>): number {
  let size = 0;
  for (const file of files) {
    const known = sizes.get(file) ?? jsonSize(file);
    sizes.set(file, known);
    size += known;
  }
  return size;
}

/** How many of these, from the first, go into one payload: at most `count`, and one however long its name is. */
export function batchLength(files: readonly Named[], count: number): number {
  let size = 0;
  for (const [at, file] of files.slice(0, count).entries()) {
    size += nameSize([file]);
    if (size > PAYLOAD_NAMES && at > 0) return at;
  }
  return Math.min(files.length, count);
}

/**
 * How many of these, from the first, are settled together: as many as batchLength says of `few`, or up to `many` as
 * long as they are small, in the payload and for whoever may have to copy them.
 */
export function settledTogether(
  files: readonly (Named & { size: number })[],
  few: number,
  many: number,
): number {
  const least = batchLength(files, few);
  let json = 0;
  let bytes = 0;
  for (const [at, file] of files.slice(0, many).entries()) {
    json += jsonSize(file);
    bytes += file.size;
    if (json > BATCH_JSON || bytes > BATCH_BYTES) return Math.max(least, at);
  }
  return Math.min(files.length, many);
}

/** The workflow sandbox has no Buffer. A surrogate pair counts as 6 instead of 4. */
function utf8Length(text: string): number {
  let bytes = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : 3;
  }
  return bytes;
}
