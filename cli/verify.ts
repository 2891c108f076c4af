import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { treeKey } from '../activities/keys.ts';
import { receiptSchema } from '../activities/receipt.ts';
import { digestOf } from '../drivers/digest-of.ts';
import type { Digest, ObjectKey } from '../drivers/ports.ts';
import type { Outcome } from '../workflows/contract.ts';
import type { ManifestEntry, ReadOnly } from './manifest.ts';
import { readManifest, readSummary } from './manifest.ts';

export type Violation = {
  kind:
    | 'receipt-invalid'
    | 'content-missing'
    | 'content-altered'
    | 'tree-unknown'
    | 'tree-missing'
    | 'tree-unexpected'
    | 'manifest-missing'
    | 'manifest-altered';
  /** Key in the destination, as bytes: it may end in a hostile name. */
  key: Uint8Array;
  /** One sentence, without the key. */
  problem: string;
};
export type Verified = { receipts: number; stored: number; tree: number };

const READS_AT_ONCE = 8;
const RECEIPT = /^content\/[0-9a-f]{2}\/([0-9a-f]{64})\/([0-9a-f]{8})\/receipt\.json$/;

/**
 * Reads a whole destination again: every receipt, every object a receipt names, every file under tree/. What
 * does not hold is handed to `report`. With `scan`, also that scan's manifest against the tree, which is only
 * meaningful for the newest scan of these paths. Nothing may write there meanwhile.
 */
export async function verifyDestination(
  destination: ReadOnly,
  report: (violation: Violation) => void,
  scan?: string,
): Promise<Verified> {
  const rebuilt = new Map<string, string>();
  const clean = new Set<string>();
  const verified: Verified = { receipts: 0, stored: 0, tree: 0 };

  await each(destination.list('content/'), async ({ key }) => {
    const name = Buffer.from(key).toString('latin1');
    const place = RECEIPT.exec(name);
    if (place === null) return;
    verified.receipts += 1;
    const receipt = receiptSchema.safeParse(await readJson(destination, key)).data;
    if (!receipt || receipt.sha256 !== place[1] || receipt.profile.fingerprint !== place[2]) {
      report({ kind: 'receipt-invalid', key, problem: 'is no receipt of this content and profile' });
      return;
    }
    if (receipt.rebuilt?.sha256 === receipt.sha256 && receipt.sameBytes !== true) {
      report({
        kind: 'receipt-invalid',
        key,
        problem: 'names the original, and not as what the engine gave back',
      });
      return;
    }
    if (receipt.verdict === 'rebuilt' && receipt.rebuilt) {
      clean.add(receipt.rebuilt.sha256);
      rebuilt.set(name, receipt.rebuilt.sha256);
    }
    for (const stored of [receipt.rebuilt, receipt.report]) {
      if (stored === undefined) continue;
      verified.stored += 1;
      const found = await digestAt(destination, stored.key);
      const violation = { key: Buffer.from(stored.key) };
      if (found === null) {
        report({ ...violation, kind: 'content-missing', problem: `is named by ${name} and is not there` });
      } else if (found.sha256 !== stored.sha256 || found.size !== stored.size) {
        report({ ...violation, kind: 'content-altered', problem: `is not what ${name} says it is` });
      }
    }
  });

  await each(destination.list('tree/'), async ({ key }) => {
    verified.tree += 1;
    const found = await digestAt(destination, key);
    if (found === null || clean.has(found.sha256)) return;
    report({
      kind: 'tree-unknown',
      key,
      problem: `holds bytes that no receipt names (sha256 ${found.sha256})`,
    });
  });

  if (scan !== undefined) await verifyScan(destination, scan, rebuilt, report);
  return verified;
}

/** What each outcome leaves under tree/: with the last, an earlier delivery of the name stays. */
const TREE: Record<Outcome, 'rebuilt bytes' | 'nothing' | 'as it was'> = {
  rebuilt: 'rebuilt bytes',
  delivered: 'rebuilt bytes',
  refused: 'nothing',
  quarantined: 'nothing',
  filtered: 'as it was',
  changed: 'as it was',
  gone: 'as it was',
  unreadable: 'as it was',
};

/** Each line's promise. */
async function verifyScan(
  destination: ReadOnly,
  scan: string,
  rebuilt: ReadonlyMap<string, string>,
  report: (violation: Violation) => void,
): Promise<void> {
  const key = Buffer.from(`scans/${scan}`);
  const summary = await readSummary(destination, scan);
  if (summary === null) {
    report({ kind: 'manifest-missing', key, problem: 'has no summary.json: did the scan finish?' });
    return;
  }
  /** A watching scan has a line for each time it met a name: the last one counts. */
  const broken = new Map<string, Violation>();
  const lines = readManifest(destination, scan);
  let next = await lines.next();
  for (; !next.done; next = await lines.next()) {
    const line = next.value;
    if (TREE[line.outcome] === 'as it was') continue;
    const file = treeKey(line.name);
    const violation = brokenPromise(line, file, await digestAt(destination, file), rebuilt);
    const name = Buffer.from(file).toString('latin1');
    if (violation === null) broken.delete(name);
    else broken.set(name, violation);
  }
  for (const violation of broken.values()) report(violation);
  if (next.value === summary.manifest.sha256) return;
  report({
    kind: 'manifest-altered',
    key,
    problem: 'has a manifest that is not the one of its summary.json',
  });
}

function brokenPromise(
  { outcome, receipt }: ManifestEntry,
  key: Uint8Array,
  found: Digest | null,
  rebuilt: ReadonlyMap<string, string>,
): Violation | null {
  const problem = (what: string) => `${what} although it was ${outcome}`;
  if (TREE[outcome] === 'nothing') {
    return found === null ? null : { kind: 'tree-unexpected', key, problem: problem('is there') };
  }
  if (found !== null && found.sha256 === rebuilt.get(receipt ?? '')) return null;
  const what = found === null ? 'is not there' : 'has other bytes';
  return { kind: 'tree-missing', key, problem: problem(what) };
}

async function each<T>(items: AsyncIterable<T>, visit: (item: T) => Promise<void>): Promise<void> {
  await Readable.from(items).forEach(visit, { concurrency: READS_AT_ONCE });
}

async function digestAt(destination: ReadOnly, key: ObjectKey): Promise<Digest | null> {
  const found = await destination.read(key);
  return found && digestOf(found.body);
}

/** undefined when it is gone, too long to be a receipt, or not JSON. */
async function readJson(destination: ReadOnly, key: ObjectKey): Promise<unknown> {
  const found = await destination.read(key);
  if (found === null) return undefined;
  if (found.size > 1024 * 1024) {
    found.body.destroy();
    return undefined;
  }
  try {
    return JSON.parse(await text(found.body));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
