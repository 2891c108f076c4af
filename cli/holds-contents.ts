import { parseContentKey } from '../activities/keys.ts';
import type { Destination } from '../drivers/ports.ts';

/** Whether anything was ever processed into this place. A mistyped one holds nothing, which looks like all in order. */
export async function holdsContents(destination: Pick<Destination, 'list'>): Promise<boolean> {
  for await (const { key } of destination.list('content/')) if (parseContentKey(key) !== null) return true;
  return false;
}
