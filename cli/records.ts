import { quarantineKey, receiptKey } from '../activities/keys.ts';
import { readQuarantine, readReceipt } from '../activities/receipt.ts';
import type { Destination, IndexRecord } from '../drivers/ports.ts';

const FOLDER = /^content\/[0-9a-f]{2}\/([0-9a-f]{64})\/([0-9a-f]{8})\/(receipt|quarantined)\.json$/;

/**
 * What the index should hold for one profile, read from receipts and quarantine notes. A receipt wins over a
 * note on the same content. One that can't be read throws: an index made without it would run its engine again.
 */
export async function* recordsOf(
  destinations: readonly Destination[],
  profile: string,
): AsyncGenerator<{ sha256: string; record: IndexRecord }> {
  for (const destination of destinations) {
    for await (const { key } of destination.list('content/')) {
      const [name, sha256, fingerprint] = FOLDER.exec(Buffer.from(key).toString('latin1')) ?? [];
      if (name === undefined || sha256 === undefined || fingerprint !== profile) continue;
      const content = { sha256, fingerprint };
      const receipt = await readReceipt(destination, content);
      if (name === receiptKey(content) && receipt !== null) {
        yield { sha256, record: { verdict: receipt.verdict, destination: destination.url } };
      } else if (
        name === quarantineKey(content) &&
        receipt === null &&
        (await readQuarantine(destination, content))
      ) {
        yield { sha256, record: { verdict: 'quarantined', destination: destination.url } };
      }
    }
  }
}
