/** What check() of the Redis index does: keys of the right type and version, filter complete and not outgrown. */
import { z } from 'zod';
import { EVENT, type Logger } from '../events.ts';
import { type ProfileKeys, type RedisKeys, SCHEMA_VERSION } from './keys.ts';
import { otherSchema, wrongType } from './redis-error.ts';
import type { RunScript } from './scripts.ts';

/** Records that one step puts into the filter: about a millisecond in which Redis does nothing else. */
const FILL_PAGE = 500;

const TYPES = ['MBbloom--', 'hash', 'hash'] as const;
const inspected = z.union([
  z.tuple([z.string(), z.string(), z.string()]),
  z.tuple([
    z.string(),
    z.string(),
    z.string(),
    z.string(),
    z.string().regex(/^\d*$/),
    z.int(),
    z.int(),
    z.int(),
    z.int(),
  ]),
]);
const filled = z.tuple([z.string(), z.int()]);

type CheckParts = {
  run: RunScript;
  keys: RedisKeys;
  /** Error rate and capacity of a filter that has to be made. */
  filterSize: readonly string[];
  log: Logger;
};

/** The returned function checks these profiles one after the other; calls at one time share one check. */
export function createIndexCheck(parts: CheckParts): (profiles: readonly string[]) => Promise<void> {
  /** Layers of each profile's filter when they were last warned about: a warning a growth is enough. */
  const warnedAt = new Map<string, number>();
  let running: Promise<void> | undefined;

  const checkAll = async (profiles: readonly string[]) => {
    // Without a profile there is still a server and a module to be there.
    if (profiles.length === 0) await inspect(parts, parts.keys.profile('none'));
    for (const profile of profiles) await checkProfile(parts, profile, warnedAt);
  };
  return (profiles) => {
    running ??= checkAll(profiles).finally(() => {
      running = undefined;
    });
    return running;
  };
}

async function checkProfile(
  parts: CheckParts,
  profile: string,
  warnedAt: Map<string, number>,
): Promise<void> {
  const { log } = parts;
  const keys = parts.keys.profile(profile);
  const state = await inspect(parts, keys);

  const believed = state.epoch === null ? state.records === 0 : state.items >= state.epoch;
  if (!believed) {
    log.warn(
      {
        event: EVENT.indexFilterLost,
        profile,
        items: state.items,
        epoch: state.epoch,
        records: state.records,
      },
      'The Bloom filter is gone or older than the records; the records answer while it is filled again',
    );
    await fillFilter(parts, keys);
    log.info(
      { event: EVENT.indexFilterFilled, profile },
      'The Bloom filter was filled again from the records',
    );
  }

  const { layers, items, capacity } = believed ? state : await inspect(parts, keys);
  if (layers > 1 && warnedAt.get(profile) !== layers) {
    warnedAt.set(profile, layers);
    log.warn(
      { event: EVENT.indexFilterGrown, profile, layers, items, capacity },
      'The Bloom filter outgrew its capacity: raise PRISTINE_BLOOM_CAPACITY and run `pristine index rebuild`',
    );
  }
}

async function inspect({ run }: CheckParts, keys: ProfileKeys) {
  const places = [keys.filter, keys.records, keys.meta];
  const answer = await run('inspect', { keys: places, args: [], place: keys.pattern, answer: inspected });
  const wrong = places.find((_, i) => answer[i] !== 'none' && answer[i] !== TYPES[i]);
  if (wrong !== undefined || answer.length === 3) throw wrongType(wrong ?? keys.pattern);

  const [, , , schema, epoch, records, items, layers, capacity] = answer;
  if (schema !== '' && schema !== SCHEMA_VERSION) throw otherSchema(schema, keys.pattern);
  return { epoch: epoch === '' ? null : Number(epoch), records, items, layers, capacity };
}

async function fillFilter({ run, filterSize }: CheckParts, keys: ProfileKeys): Promise<void> {
  let cursor = '0';
  let items = 0;
  do {
    [cursor, items] = await run('fill-filter', {
      keys: [keys.filter, keys.records, keys.meta],
      args: [SCHEMA_VERSION, cursor, FILL_PAGE, items, ...filterSize],
      place: keys.pattern,
      answer: filled,
    });
  } while (cursor !== '0');
}
