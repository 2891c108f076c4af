import { scanOfFolder } from '../activities/keys.ts';
import type { Destination } from '../drivers/ports.ts';

/** What Temporal says of a scan's workflow ID. */
export type ScanLife =
  | { kind: 'open'; firstRunId: string }
  | { kind: 'closed'; status: string; closedAt: Date }
  | { kind: 'unknown' };

export type BooksRule = {
  /** Scans that ended later keep their books: a step of theirs may still be writing. */
  before: Date;
  /** Also the books of scans that failed, and of those that Temporal does not know. */
  all: boolean;
};

/** `remove` one key of books that nobody reads any more; `kept`, once for each: books that are left, and why. */
export type ScanLeftover = { kind: 'remove'; key: Uint8Array } | { kind: 'kept'; books: string; why: string };

const BOOKS = /^scans\/([^/]+)\/(?:parts|pages)\/([^/]+)\/./s;

/**
 * The books of scans that are over: manifest parts and listing pages, which a scan that ends as it should removes
 * itself. Temporal is asked once for each scan that has any. Memory stays flat.
 */
export async function* leftoversOfScans(
  destination: Pick<Destination, 'list'>,
  lifeOf: (scan: string) => Promise<ScanLife>,
  rule: BooksRule,
): AsyncGenerator<ScanLeftover> {
  let asked: { folder: string; life: ScanLife } | undefined;
  let told = '';
  for await (const { key } of destination.list('scans/')) {
    const [, folder, run] = BOOKS.exec(Buffer.from(key).toString('latin1')) ?? [];
    if (folder === undefined || run === undefined) continue;
    const scan = scanOfFolder(folder);
    if (asked?.folder !== folder) {
      asked = { folder, life: scan === null ? { kind: 'unknown' } : await lifeOf(scan) };
    }
    const why = whyKept(asked.life, run, rule);
    if (why === null) yield { kind: 'remove', key };
    else if (why !== '' && told !== folder) {
      told = folder;
      yield { kind: 'kept', books: `scans/${folder}/`, why };
    }
  }
}

/** null: nobody reads the books of this start any more. Empty: as it should be. Otherwise a sentence's end. */
export function whyKept(life: ScanLife, run: string, { before, all }: BooksRule): string | null {
  switch (life.kind) {
    case 'open':
      // Another start under the same ID; those before it are over.
      return life.firstRunId === run || life.firstRunId === '' ? '' : null;
    case 'closed':
      if (!(life.closedAt < before)) return '';
      if (life.status === 'FAILED' && !all) return 'the scan failed, and they say how far it got';
      return null;
    case 'unknown':
      return all ? null : 'Temporal does not know the scan';
  }
}
