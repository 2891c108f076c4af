import { parseContentKey } from '../activities/keys.ts';
import type { Receipt } from '../activities/receipt.ts';
import { readReceipt } from '../activities/receipt.ts';
import { DriverError } from '../drivers/errors.ts';
import { type Destination, SLOT } from '../drivers/ports.ts';

/** `prefix` is a slot's folder; `key` a note beside a receipt. `unsure`: somebody must look. */
export type ContentLeftover =
  | { kind: 'slot'; prefix: string }
  | { kind: 'note'; key: string }
  | { kind: 'unsure'; problem: string };

/** `rebuilt`: one of the slots holds a rebuilt file. */
type Folder = { sha256: string; fingerprint: string; slots: Set<string>; rebuilt: boolean; noted: boolean };

/**
 * What the losers of each content left behind: every slot that its receipt does not name, if the receipt was
 * committed before `before`. Until then a link of a loser's may still be open. A content without a receipt keeps
 * all it has: its attempts go on, or their logs are an operator's to read. Memory stays flat.
 */
export async function* leftoversOfContents(
  destination: Destination,
  before: Date,
): AsyncGenerator<ContentLeftover> {
  let folder: Folder | undefined;
  // In byte order a content's slots come first, its receipt last.
  for await (const { key } of destination.list('content/')) {
    const content = parseContentKey(key);
    if (content === null) continue;
    const { sha256, fingerprint, rest } = content;
    if (folder?.sha256 !== sha256 || folder.fingerprint !== fingerprint) {
      folder = { sha256, fingerprint, slots: new Set(), rebuilt: false, noted: false };
    }
    if (rest === 'receipt.json') yield* leftovers(destination, folder, before);
    else if (rest === 'quarantined.json') folder.noted = true;
    else {
      const [slot = '', file] = rest.split('/', 2);
      if (file === undefined || !SLOT.test(slot)) continue;
      folder.slots.add(slot);
      if (file === 'rebuilt') folder.rebuilt = true;
    }
  }
}

async function* leftovers(
  destination: Destination,
  folder: Folder,
  before: Date,
): AsyncGenerator<ContentLeftover> {
  // Almost every content has one slot, with a rebuilt file in it: then that won, and its receipt need not be read.
  if (!folder.noted && (folder.slots.size === 0 || (folder.slots.size === 1 && folder.rebuilt))) return;
  const path = `content/${folder.sha256.slice(0, 2)}/${folder.sha256}/${folder.fingerprint}/`;
  let receipt: Receipt | null;
  try {
    receipt = await readReceipt(destination, folder);
  } catch (error) {
    if (!(error instanceof DriverError) || error.code !== 'content.mismatch') throw error;
    yield { kind: 'unsure', problem: error.message };
    return;
  }
  if (receipt === null || !(Date.parse(receipt.committedAt) < before.getTime())) return;
  const named = [receipt.rebuilt?.key, receipt.report?.key, ...receipt.logs];
  for (const slot of folder.slots) {
    const prefix = `${path}${slot}/`;
    if (slot === receipt.slot || named.some((key) => key?.startsWith(prefix))) continue;
    yield { kind: 'slot', prefix };
  }
  if (folder.noted) yield { kind: 'note', key: `${path}quarantined.json` };
}
