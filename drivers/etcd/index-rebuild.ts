/** Makes a profile's records anew, in a generation aside, and lets that one count in one step. */
import { EVENT, type Logger } from '../events.ts';
import { formatRecord } from '../index-record.ts';
import type { IndexRecord } from '../ports.ts';
import { found } from './answers.ts';
import type { Etcd } from './connect.ts';
import { unavailable } from './etcd-error.ts';
import { createMeta, newGeneration } from './index-state.ts';
import { checkedSha256, formatMeta, type ProfileKeys, parseMeta, SCHEMA_VERSION } from './keys.ts';
import type { Leases } from './leases.ts';
import { sweep } from './sweep.ts';
import {
  count,
  get,
  getMany,
  holds,
  holdsOther,
  inner,
  isAbsent,
  put,
  remove,
  removeMany,
} from './transaction.ts';

/** Each record takes three comparisons and operations of a transaction. */
const PAGE = 40;
/** A rebuild that adds no page for this long is given up. */
const IDLE_MS = 15 * 60_000;
const RENEW_MS = 30_000;

type RebuildParts = { etcd: Etcd; leases: Leases; keys: ProfileKeys; log: Logger };

/**
 * Returns how many records there are after the switch. Takes over from a rebuild under way, which then throws
 * index.unavailable. When `records` throws, the old ones stay.
 */
export async function rebuildIndex(
  parts: RebuildParts,
  profile: string,
  records: AsyncIterable<{ sha256: string; record: IndexRecord }>,
): Promise<number> {
  const { etcd, leases, keys, log } = parts;
  const token = newGeneration();
  const lease = await leases.grant(IDLE_MS);
  try {
    await begin(parts, token, lease);
    await addAll(parts, token, lease, records);
    const total = await switchTo(parts, token);
    log.info({ event: EVENT.indexRebuilt, profile, records: total }, 'The index was made anew');
    // What is left of the old one counts no more; if it can't be deleted now, the next rebuild does it.
    const guard = [holds(keys.meta, formatMeta(token)), isAbsent(keys.build)];
    await sweep(etcd, keys.generations, { except: [keys.generation(token).all], guard }).catch(() => {});
    return total;
  } catch (error) {
    // Best effort: the first error is the one to tell.
    await drop(parts, token).catch(() => {});
    throw error;
  } finally {
    await leases.revoke(lease);
  }
}

/** From here on additions go to this generation too. Deletes what a rebuild that died has left. */
async function begin({ etcd, leases, keys }: RebuildParts, token: string, lease: string): Promise<void> {
  const { responses } = await etcd.txn({
    success: [get(keys.meta), getMany(keys.generations, { limit: 1, keys_only: true })],
  });
  const [[meta], [record]] = [found(responses[0]), found(responses[1])];
  // Records without meta stay unreadable until the switch: they must not seem to be none.
  if (meta === undefined && record === undefined) await createMeta(etcd, keys);

  const begun = await etcd.txn({ success: [get(keys.build), put(keys.build, token, lease)] });
  await leases.revoke(found(begun.responses[0])[0]?.lease);

  const current = meta === undefined ? null : parseMeta(meta.value);
  if (current?.schema !== SCHEMA_VERSION) return;
  const guard = [holds(keys.build, token), holds(keys.meta, formatMeta(current.generation))];
  const except = [current.generation, token].map((name) => keys.generation(name).all);
  await sweep(etcd, keys.generations, { except, guard });
}

async function addAll(
  parts: RebuildParts,
  token: string,
  lease: string,
  records: AsyncIterable<{ sha256: string; record: IndexRecord }>,
): Promise<void> {
  let page = new Map<string, string>();
  let renewedAt = Date.now();
  for await (const { sha256, record } of records) {
    const text = formatRecord(record);
    if (!page.has(checkedSha256(sha256))) page.set(sha256, text);
    if (page.size < PAGE) continue;
    await addPage(parts, token, page);
    page = new Map();
    if (Date.now() - renewedAt < RENEW_MS) continue;
    await parts.leases.renew(lease);
    renewedAt = Date.now();
  }
  await addPage(parts, token, page);
}

/** What was added by others meanwhile is newer and stays; what was forgotten meanwhile stays forgotten. */
async function addPage(
  { etcd, keys }: RebuildParts,
  token: string,
  page: Map<string, string>,
): Promise<void> {
  const next = keys.generation(token);
  const { succeeded } = await etcd.txn({
    compare: [holds(keys.build, token)],
    success: [...page].map(([sha256, text]) =>
      inner({
        compare: [isAbsent(next.record(sha256)), isAbsent(next.forgotten(sha256))],
        success: [put(next.record(sha256), text)],
      }),
    ),
  });
  if (!succeeded) throw takenOver();
}

async function switchTo({ etcd, keys }: RebuildParts, token: string): Promise<number> {
  const next = keys.generation(token);
  const { succeeded, responses } = await etcd.txn({
    compare: [holds(keys.build, token)],
    success: [
      count(next.records),
      put(keys.meta, formatMeta(token)),
      remove(keys.build),
      removeMany(next.forgottens),
    ],
  });
  if (!succeeded) throw takenOver();
  return responses[0]?.response_range?.count ?? 0;
}

/** Gives up, unless the switch was made and only its answer was lost. */
async function drop({ etcd, keys }: RebuildParts, token: string): Promise<void> {
  await etcd.txn({ compare: [holds(keys.build, token)], success: [remove(keys.build)] });
  const guard = [holdsOther(keys.meta, formatMeta(token))];
  await sweep(etcd, keys.generation(token).all, { guard });
}

function takenOver() {
  return unavailable(
    'This rebuild of the index was taken over by another or stood still for too long: start it again',
  );
}
