import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import picomatch from 'picomatch';
import { DriverError } from '../drivers/errors.ts';
import { EVENT } from '../drivers/events.ts';
import { toBytes, toFileName } from '../drivers/file-name.ts';
import type { ListedEntry, ListedFile, ListPage, Source } from '../drivers/ports.ts';
import type { FileName } from '../workflows/contract.ts';
import type { HashedFile, SettledFile } from '../workflows/scan-state.ts';
import type { Dependencies } from './dependencies.ts';

export type ListPageInput = {
  scanId: string;
  source: string;
  fingerprint: string;
  cursor: FileName | null;
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

/** A page ends early after this much to hash, so that pods start while the rest is read. */
const PAGE_BYTES = 1024 * 1024 * 1024;
const HASHES_AT_ONCE = 4;

/** Lists the next files after the cursor, hashes them, and asks the index about all of them at once. */
export async function listPage(
  deps: Dependencies,
  input: ListPageInput,
  heartbeat: (details: unknown) => void,
  signal: AbortSignal,
): Promise<ListedPage> {
  const source = deps.openSource(input.source);
  const listed = await source.list(input.cursor === null ? null : toBytes(input.cursor), input.limit);
  const page = cutAt(listed, PAGE_BYTES);
  const entries = input.watch ? await unseen(deps, input.scanId, page.entries) : page.entries;

  const keep = nameFilter(input);
  const settled: SettledFile[] = [];
  const toHash: ListedFile[] = [];
  for (const entry of entries) {
    const early = outcomeWithoutReading(entry, keep, input);
    if (early) settled.push(early);
    else if (entry.kind === 'file') toHash.push(entry);
  }

  const hashed: HashedFile[] = [];
  let next = 0;
  const hashLoop = async () => {
    for (let file = toHash[next++]; file !== undefined; file = toHash[next++]) {
      signal.throwIfAborted();
      const result = await hashOrOutcome(source, file, () => heartbeat({ hashed: hashed.length }), signal);
      if ('sha256' in result && !('outcome' in result)) hashed.push(result);
      else settled.push(result as SettledFile);
    }
  };
  await Promise.all(Array.from({ length: HASHES_AT_ONCE }, hashLoop));

  const work: HashedFile[] = [];
  const records = await deps.index.lookup(
    input.fingerprint,
    hashed.map((file) => file.sha256),
  );
  for (const [at, file] of hashed.entries()) {
    const record = records[at];
    if (record) settled.push({ ...file, outcome: knownOutcome(record.verdict), from: record.destination });
    else work.push(file);
  }
  deps.logger.info(
    { event: EVENT.scanPageListed, scan: input.scanId, listed: entries.length, new: work.length },
    'page listed',
  );
  return { work, settled, next: page.next === null ? null : toFileName(page.next) };
}

function knownOutcome(verdict: 'rebuilt' | 'refused' | 'quarantined'): SettledFile['outcome'] {
  return verdict === 'rebuilt' ? 'delivered' : verdict;
}

function cutAt(page: ListPage, bytes: number): ListPage {
  let sum = 0;
  for (const [at, entry] of page.entries.entries()) {
    if (entry.kind === 'file') sum += entry.size;
    if (sum > bytes && at + 1 < page.entries.length) {
      return { entries: page.entries.slice(0, at + 1), next: entry.name };
    }
  }
  return page;
}

async function unseen(deps: Dependencies, scan: string, entries: ListedEntry[]): Promise<ListedEntry[]> {
  const versions = entries.map((entry) => ({
    name: entry.name,
    version: entry.kind === 'file' ? entry.version : entry.reason,
  }));
  const seen = await deps.seen.seen(scan, versions);
  return entries.filter((_, at) => seen[at] !== true);
}

type NameFilter = (path: string) => string | undefined;

/** Answers with the reason why a path is filtered. Patterns are picomatch globs; dot files match too. */
function nameFilter(input: Pick<ListPageInput, 'include' | 'exclude'>): NameFilter {
  const included = input.include ? picomatch(input.include, { dot: true }) : undefined;
  const excluded = input.exclude ? picomatch(input.exclude, { dot: true }) : undefined;
  return (path) => {
    if (included && !included(path)) return 'matches no include pattern';
    if (excluded?.(path)) return 'matches an exclude pattern';
    return undefined;
  };
}

function outcomeWithoutReading(
  entry: ListedEntry,
  filter: NameFilter,
  input: ListPageInput,
): SettledFile | undefined {
  const name = toFileName(entry.name);
  const filtered = filter(name.path);
  if (entry.kind === 'unreadable') {
    const base = { name, size: 0, version: entry.reason };
    return filtered
      ? { ...base, outcome: 'filtered', reason: filtered }
      : { ...base, outcome: 'unreadable', reason: entry.reason };
  }
  const { size, version } = entry;
  if (filtered) return { name, size, version, outcome: 'filtered', reason: filtered };
  if (input.maxBytes !== undefined && size > input.maxBytes) {
    const reason = `${size} bytes, above the scan's maxBytes of ${input.maxBytes}`;
    return { name, size, version, outcome: 'filtered', reason };
  }
  if (size > input.maxInputBytes) {
    const reason = `too large: ${size} bytes, and the profile takes at most ${input.maxInputBytes}`;
    return { name, size, version, outcome: 'refused', reason };
  }
  return undefined;
}

async function hashOrOutcome(
  source: Source,
  file: ListedFile,
  heartbeat: () => void,
  signal: AbortSignal,
): Promise<HashedFile | SettledFile> {
  const { size, version } = file;
  const name = toFileName(file.name);
  try {
    const { body } = await source.open(file.name, version);
    const hash = createHash('sha256');
    await pipeline(
      body,
      async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of chunks) {
          hash.update(chunk);
          heartbeat();
        }
      },
      { signal },
    );
    return { name, size, sha256: hash.digest('hex'), version };
  } catch (error) {
    const outcome = error instanceof DriverError ? MOVED[error.code] : undefined;
    if (outcome === undefined || !(error instanceof DriverError)) throw error;
    return { name, size, version, outcome, reason: error.message };
  }
}

const MOVED: Partial<Record<string, 'gone' | 'changed' | 'unreadable'>> = {
  'source.gone': 'gone',
  'source.changed': 'changed',
  'source.forbidden': 'unreadable',
};
