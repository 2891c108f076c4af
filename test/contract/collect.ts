import { buffer } from 'node:stream/consumers';
import type { Destination, ListedEntry, NameBytes, ObjectKey, Source } from '../../drivers/ports.ts';

/** Everything a source lists after `cursor`, page by page. */
export async function listAll(
  source: Source,
  limit: number,
  cursor: NameBytes | null = null,
): Promise<ListedEntry[]> {
  const entries: ListedEntry[] = [];
  let next = cursor;
  do {
    const page = await source.list(next, limit);
    entries.push(...page.entries);
    next = page.next;
  } while (next !== null);
  return entries;
}

/** Names as text with one character a byte, so that a failed comparison shows them. */
export function shown(entries: readonly { name: Uint8Array }[]): string[] {
  return entries.map(({ name }) => Buffer.from(name).toString('latin1'));
}

export async function readText(destination: Destination, key: ObjectKey): Promise<string | null> {
  const found = await destination.read(key);
  return found ? (await buffer(found.body)).toString() : null;
}

export async function keysOf(destination: Destination, prefix: string): Promise<string[]> {
  const objects = await Array.fromAsync(destination.list(prefix));
  return objects.map(({ key }) => Buffer.from(key).toString('latin1'));
}
