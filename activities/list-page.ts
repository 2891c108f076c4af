import { EVENT } from '../drivers/events.ts';
import { toBytes, toFileName } from '../drivers/file-name.ts';
import type { IndexRecord, ListedEntry, ListedFile, ListPage } from '../drivers/ports.ts';
import type { FileName, ProfileRef } from '../workflows/contract.ts';
import { indexProfile } from '../workflows/contract.ts';
import { jsonSize, nameSize, PAYLOAD_NAMES } from '../workflows/name-size.ts';
import type { HashedFile, SettledFile } from '../workflows/scan-state.ts';
import type { Dependencies } from './dependencies.ts';
import { hashFiles, type ReadFile } from './hash-files.ts';
import { isNotable, noteRead, recallFiles } from './known-files.ts';
import { outcomesWithoutReading } from './outcome-without-reading.ts';
import { keepPage } from './pages.ts';

export type ListPageInput = {
  scanId: string;
  firstRunId: string;
  /** Number of this page within the scan, from 1; an empty one leaves its number to the next. */
  page: number;
  source: string;
  destination: string;
  profile: ProfileRef;
  cursor: FileName | null;
  /** How many are listed at first; see listPage for when there are more. */
  limit: number;
  include?: string[] | undefined;
  exclude?: string[] | undefined;
  maxBytes?: number | undefined;
  maxInputBytes: number;
  /** Leave out what this scan has settled before in the same version. */
  watch: boolean;
};

/** `work` needs a child; `settled` has its outcome already. Together they are the page's files, each once. */
export type ListedPage = { work: HashedFile[]; settled: SettledFile[]; next: FileName | null };

/** A page ends early after this much to hash, so that pods start while the rest is read, or PAYLOAD_NAMES. */
const PAGE_BYTES = 1024 * 1024 * 1024;
/** A page goes on over files that need no reading: each step of a scan costs as much as a hundred looks. */
const MANY_LISTED = 1_000;
const LISTED_AT_ONCE = 200;
/** What is settled, in bytes of JSON, after which a page goes on no more: 2 MB of payload hold what comes on top. */
const SETTLED_BYTES = 512 * 1024;

/**
 * Lists the next files after the cursor, hashes those that no earlier scan has read in this version, and asks the
 * index about all of them at once. Goes on past the limit while nothing has to be read. A page is listed once: what
 * the first try to finish wrote down is also what every other answers with.
 */
export async function listPage(
  deps: Dependencies,
  input: ListPageInput,
  heartbeat: (details: unknown) => void,
  signal: AbortSignal,
): Promise<ListedPage> {
  const source = deps.openSource(input.source);
  const settled: SettledFile[] = [];
  let { cursor, limit } = input;
  let unknown: ListedFile[] = [];
  let listed = 0;
  let bytes = 0;
  do {
    const some = cutAt(await source.list(cursor === null ? null : toBytes(cursor), limit));
    const found = await settleKnown(deps, input, some.entries);
    settled.push(...found.settled);
    unknown = found.unknown;
    cursor = some.next === null ? null : toFileName(some.next);
    listed += some.entries.length;
    bytes += jsonSize(found.settled);
    limit = LISTED_AT_ONCE;
    heartbeat({ listed });
    signal.throwIfAborted();
  } while (unknown.length === 0 && cursor !== null && listed < MANY_LISTED && bytes < SETTLED_BYTES);

  const { read, settled: moved } = await hashFiles(source, unknown, heartbeat, signal);
  settled.push(...moved);
  const work: HashedFile[] = [];
  const records = await recordsOf(deps, input.profile, read);
  for (const [at, one] of read.entries()) {
    const file = hashedFile(one.file, one.sha256);
    const record = records[at];
    const memory = isNotable(one, input) ? { modifiedAt: one.file.modifiedAt } : undefined;
    if (record) settled.push(knownFile(file, record, memory));
    else work.push(file);
  }
  await noteRead(deps, input, read);
  await deps.reached?.('page.hashed');
  deps.logger.info(
    {
      event: EVENT.scanPageListed,
      scan: input.scanId,
      listed: settled.length + work.length,
      new: work.length,
    },
    'page listed',
  );
  const page = { work, settled, next: cursor };
  // Of nothing no book is kept: a watching scan finds nothing new in most of its passes, for months.
  return work.length + settled.length === 0 ? page : keepPage(deps, input, page);
}

/** What has its outcome without being read, and the others. */
async function settleKnown(
  deps: Dependencies,
  input: ListPageInput,
  listed: ListedEntry[],
): Promise<{ settled: SettledFile[]; unknown: ListedFile[] }> {
  const withoutReading = outcomesWithoutReading(input);
  const settled: SettledFile[] = [];
  const files: ListedFile[] = [];
  for (const entry of input.watch ? await unseen(deps, input, listed) : listed) {
    const early = withoutReading(entry);
    if (early) settled.push(early);
    else if (entry.kind === 'file') files.push(entry);
  }
  const { known, unknown } = await recallFiles(deps, input, files);
  for (const { file, note, record } of known) {
    const memory = { modifiedAt: file.modifiedAt, delivery: note.delivery };
    settled.push(knownFile(hashedFile(file, note.sha256), record, memory));
  }
  return { settled, unknown };
}

/** Of a forced scan nothing is known. */
async function recordsOf(
  deps: Dependencies,
  { fingerprint, base }: ProfileRef,
  files: ReadFile[],
): Promise<(IndexRecord | null)[]> {
  if (base !== undefined) return files.map(() => null);
  return deps.index.lookup(
    fingerprint,
    files.map((file) => file.sha256),
  );
}

function hashedFile({ name, size, version }: ListedFile, sha256: string): HashedFile {
  return { name: toFileName(name), size, sha256, version };
}

/** Only what was rebuilt has a delivery to remember. */
function knownFile(
  file: HashedFile,
  { verdict, destination: from, fingerprint }: IndexRecord,
  memory: SettledFile['memory'],
): SettledFile {
  if (verdict !== 'rebuilt') return { ...file, outcome: verdict, from, fingerprint };
  return { ...file, outcome: 'delivered', from, fingerprint, memory };
}

function cutAt(page: ListPage): ListPage {
  let bytes = 0;
  let names = 0;
  for (const [at, entry] of page.entries.entries()) {
    if (entry.kind === 'file') bytes += entry.size;
    names += nameSize([{ name: toFileName(entry.name) }]);
    if ((bytes > PAGE_BYTES || names > PAYLOAD_NAMES) && at + 1 < page.entries.length) {
      return { entries: page.entries.slice(0, at + 1), next: entry.name };
    }
  }
  return page;
}

/**
 * What this scan has not settled in this version. A quarantined content counts as settled while it is on record as
 * such: when an operator has cleared it, it is met again.
 */
async function unseen(
  deps: Dependencies,
  { scanId, profile }: Pick<ListPageInput, 'scanId' | 'profile'>,
  entries: ListedEntry[],
): Promise<ListedEntry[]> {
  const versions = entries.map((entry) => ({
    name: entry.name,
    version: entry.kind === 'file' ? entry.version : entry.reason,
  }));
  const marks = await deps.seen.seen(scanId, versions);
  const held = marks.flatMap((mark) => mark?.quarantined ?? []);
  const records = held.length === 0 ? [] : await deps.index.lookup(indexProfile(profile), held);
  const cleared = new Set(held.filter((_, at) => records[at]?.verdict !== 'quarantined'));
  return entries.filter((_, at) => {
    const mark = marks[at];
    return mark == null || (mark.quarantined !== undefined && cleared.has(mark.quarantined));
  });
}
