import { parseContentKey } from '../activities/keys.ts';
import { readNote } from '../activities/quarantine-notes.ts';
import { readReceipt } from '../activities/receipt.ts';
import type { Destination, IndexRecord } from '../drivers/ports.ts';

/** A content's record, and when it was made (ISO 8601): the newest one counts. */
type Dated = { sha256: string; record: IndexRecord; at: string };
export type Recorded = { sha256: string; record: IndexRecord };

/**
 * What the index should hold for one profile: for each content the newest of its results in all destinations, read
 * from receipts and quarantine notes. Those of forced scans lie under fingerprints of their own and name the
 * profile; `others` are fingerprints known to be other profiles' own. A receipt wins over a note beside it. A receipt
 * that can't be read throws: an index made without it would run its engine again. Memory stays flat: every
 * destination lists its contents in the same order.
 */
export async function* recordsOf(
  destinations: readonly Destination[],
  profile: string,
  others: readonly string[] = [],
): AsyncGenerator<Recorded> {
  const lists = destinations.map((destination) => resultsOf(destination, profile, others));
  try {
    const heads = await Promise.all(lists.map((list) => list.next()));
    for (;;) {
      const first = heads.flatMap(({ value }) => value?.sha256 ?? []).sort()[0];
      if (first === undefined) return;
      let newest: Dated | undefined;
      for (const [at, list] of lists.entries()) {
        const result = heads[at]?.value;
        if (result?.sha256 !== first) continue;
        newest = newer(newest, result);
        heads[at] = await list.next();
      }
      if (newest) yield { sha256: newest.sha256, record: newest.record };
    }
  } finally {
    await Promise.all(lists.map((list) => list.return(undefined)));
  }
}

/** One destination's, one a content, in the order of their sha256. */
async function* resultsOf(
  destination: Destination,
  profile: string,
  others: readonly string[],
): AsyncGenerator<Dated, undefined> {
  let newest: Dated | undefined;
  /** A note, until the next key shows whether a receipt lies beside it. */
  let noted: { sha256: string; fingerprint: string } | undefined;
  for await (const { key } of destination.list('content/')) {
    const content = parseContentKey(key);
    if (content === null || others.includes(content.fingerprint)) continue;
    const { sha256, fingerprint, rest } = content;
    if (noted && (noted.sha256 !== sha256 || noted.fingerprint !== fingerprint)) {
      newest = newer(newest, await fromNote(destination, noted, profile));
      noted = undefined;
    }
    if (newest && newest.sha256 !== sha256) {
      yield newest;
      newest = undefined;
    }
    if (rest === 'quarantined.json') noted = content;
    if (rest === 'receipt.json') {
      noted = undefined;
      newest = newer(newest, await fromReceipt(destination, content, profile));
    }
  }
  if (noted) newest = newer(newest, await fromNote(destination, noted, profile));
  if (newest) yield newest;
  return undefined;
}

function newer(one: Dated | undefined, other: Dated | undefined): Dated | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return other.at > one.at ? other : one;
}

async function fromReceipt(
  destination: Destination,
  content: { sha256: string; fingerprint: string },
  profile: string,
): Promise<Dated | undefined> {
  const receipt = await readReceipt(destination, content);
  if (receipt === null) return undefined;
  const { verdict, committedAt: at } = receipt;
  return dated(destination, content, profile, { verdict, at, base: receipt.profile.base });
}

async function fromNote(
  destination: Destination,
  content: { sha256: string; fingerprint: string },
  profile: string,
): Promise<Dated | undefined> {
  const note = await readNote(destination, content);
  if (note === null) return undefined;
  return dated(destination, content, profile, { verdict: 'quarantined', at: note.at, base: note.base });
}

/** undefined where it is another profile's. */
function dated(
  { url }: Destination,
  { sha256, fingerprint }: { sha256: string; fingerprint: string },
  profile: string,
  { verdict, at, base }: { verdict: IndexRecord['verdict']; at: string; base: string | undefined },
): Dated | undefined {
  if ((base ?? fingerprint) !== profile) return undefined;
  const forced = base === undefined ? {} : { fingerprint };
  return { sha256, at, record: { verdict, destination: url, ...forced } };
}
