/** Files whose contents are done, as an earlier scan of them would have left them, without a pod for each. */
import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { receiptKey, slotKey } from '../activities/keys.ts';
import { type Receipt, readReceipt } from '../activities/receipt.ts';
import type { Destination, ProcessedIndex } from '../drivers/ports.ts';
import { type BenchDocument, benchDocuments } from './documents.ts';

export type Known = {
  /** A folder. */
  destination: Destination;
  index: ProcessedIndex;
  /** The profile's fingerprint, 8 hex. */
  fingerprint: string;
  /** A content that a scan into `destination` has rebuilt. */
  like: BenchDocument;
};

const AT_ONCE = 16;

/**
 * Makes `count` files in `folder`, each with a content of its own, and for each what a scan leaves: rebuilt bytes
 * and report in a slot (copies of those of `like`), the receipt that names them, the record in the index. All of it
 * is on the disk when it resolves, so that nobody who syncs later waits for these files too.
 */
export async function makeKnownFiles(
  { destination, index, fingerprint, like }: Known,
  folder: string,
  run: string,
  count: number,
): Promise<BenchDocument[]> {
  const receipt = await readReceipt(destination, { sha256: like.sha256, fingerprint });
  if (receipt?.rebuilt === undefined) throw new Error(`There is no rebuilt content ${like.sha256} to copy.`);
  const parts = await Promise.all(
    (['rebuilt', 'report'] as const).map(async (part) => {
      const stored = receipt[part];
      const found = stored === undefined ? null : await destination.read(stored.key);
      return stored === undefined || found === null
        ? []
        : [{ part, stored, bytes: await buffer(found.body) }];
    }),
  );
  const documents = await benchDocuments(folder, run, count);
  const top = fileURLToPath(destination.url);
  const put = async (key: string, bytes: Buffer | string) => {
    await mkdir(dirname(join(top, key)), { recursive: true });
    await writeFile(join(top, key), bytes, { flag: 'wx' });
  };
  let next = 0;
  const makeSome = async () => {
    for (let document = documents[next++]; document !== undefined; document = documents[next++]) {
      const content = { sha256: document.sha256, fingerprint };
      const own: Receipt = { ...receipt, sha256: document.sha256, size: document.bytes.length, logs: [] };
      for (const { part, stored, bytes } of parts.flat()) {
        const key = slotKey(content, receipt.slot, stored.key.split('/').at(-1) ?? part);
        await put(key, bytes);
        own[part] = { ...stored, key };
      }
      await put(receiptKey(content), JSON.stringify(own));
      await index.add(
        { sha256: document.sha256, profile: fingerprint },
        { verdict: 'rebuilt', destination: destination.url },
      );
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, makeSome));
  execFileSync('sync', ['-f', top]);
  return documents;
}
