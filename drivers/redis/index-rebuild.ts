/** Makes a profile's filter and records anew, aside, and swaps them in. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { EVENT, type Logger } from '../events.ts';
import { formatRecord } from '../index-record.ts';
import type { IndexRecord } from '../ports.ts';
import { type ProfileKeys, rawSha256, SCHEMA_VERSION } from './keys.ts';
import type { RunScript, ScriptName } from './scripts.ts';

const PAGE = 500;
/** A rebuild that adds no page for this long is given up, and Redis drops what it had. */
const IDLE_MS = 15 * 60_000;

type RebuildParts = { run: RunScript; keys: ProfileKeys; filterSize: readonly string[]; log: Logger };

/**
 * Returns how many records there are after the swap. Takes over from a rebuild under way, which then throws
 * index.unavailable. When `records` throws, the old ones stay.
 */
export async function rebuildIndex(
  { run, keys, filterSize, log }: RebuildParts,
  profile: string,
  records: AsyncIterable<{ sha256: string; record: IndexRecord }>,
): Promise<number> {
  const token = randomUUID();
  const aside = [keys.build, keys.nextFilter, keys.nextRecords, keys.nextForgotten];
  const step = (script: ScriptName, args: (string | number | Buffer)[], more: string[] = []) =>
    run(script, { keys: [...aside, ...more], args: [token, ...args], place: keys.pattern, answer: z.int() });

  await step('build-begin', [IDLE_MS, ...filterSize]);
  try {
    let page: (string | Buffer)[] = [];
    for await (const { sha256, record } of records) {
      page.push(rawSha256(sha256), formatRecord(record));
      if (page.length < 2 * PAGE) continue;
      await step('build-page', [IDLE_MS, ...page]);
      page = [];
    }
    await step('build-page', [IDLE_MS, ...page]);
    const count = await step('build-swap', [SCHEMA_VERSION], [keys.filter, keys.records, keys.meta]);
    log.info({ event: EVENT.indexRebuilt, profile, records: count }, 'The index was made anew');
    return count;
  } catch (error) {
    // Best effort: what can't be dropped now runs out by itself, and the first error is the one to tell.
    await step('build-drop', []).catch(() => {});
    throw error;
  }
}
