/** What every step on a profile's index goes by: the generation that counts and the rebuild under way. */
import { randomBytes } from 'node:crypto';
import { found, type OperationAnswer } from './answers.ts';
import type { Etcd } from './connect.ts';
import { lostMeta, otherSchema, unavailable, unreadableMeta } from './etcd-error.ts';
import { formatMeta, type ProfileKeys, parseMeta, SCHEMA_VERSION } from './keys.ts';
import { type Comparison, get, getMany, holds, isAbsent, type Operation, put } from './transaction.ts';

/** `build`: the generation of the rebuild under way, to which additions go too. */
export type IndexState = { generation: string; build: string | null };

export type IndexStates = {
  /**
   * Runs these operations in one transaction in which the state they were made for holds; if it does not,
   * makes them again for the state that does. null: nothing was ever added (with `create`, it is begun).
   */
  run(keys: ProfileKeys, step: Step): Promise<OperationAnswer[] | null>;
  /** Reads it; throws index.invalid when it is not ours to read. null: nothing was ever added. */
  load(keys: ProfileKeys): Promise<IndexState | null>;
};
type Step = {
  operations(state: IndexState): Operation[];
  create?: boolean;
  /** The operations depend on the rebuild under way too. */
  withBuild?: boolean;
};

/** The state changes twice in a rebuild: who meets it more often in one step meets something else. */
const TRIES = 10;

export function createIndexStates(etcd: Etcd): IndexStates {
  /** By meta key. What is out of date fails its comparison. */
  const known = new Map<string, IndexState>();
  const remember = (keys: ProfileKeys, state: IndexState | null) => {
    if (state === null) known.delete(keys.meta);
    else known.set(keys.meta, state);
    return state;
  };
  const load = async (keys: ProfileKeys) => {
    const { responses } = await etcd.txn({ success: stateReads(keys) });
    return remember(keys, readState(keys, responses));
  };

  return {
    load,
    async run(keys, { operations, create = false, withBuild = false }) {
      for (let tries = 0; tries < TRIES; tries++) {
        const state = known.get(keys.meta) ?? (await load(keys));
        if (state === null) {
          if (!create) return null;
          await createMeta(etcd, keys);
          continue;
        }
        const answer = await etcd.txn({
          compare: [
            holds(keys.meta, formatMeta(state.generation)),
            ...(withBuild ? [sameBuild(keys, state)] : []),
          ],
          success: operations(state),
          failure: stateReads(keys),
        });
        if (answer.succeeded) return answer.responses;
        remember(keys, readState(keys, answer.responses));
      }
      throw unavailable('The index is being made anew over and over: try again later');
    },
  };
}

/** Begins a profile whose keys are all absent. */
export async function createMeta(etcd: Etcd, keys: ProfileKeys): Promise<void> {
  await etcd.txn({ compare: [isAbsent(keys.meta)], success: [put(keys.meta, formatMeta(newGeneration()))] });
}

export function newGeneration(): string {
  return randomBytes(8).toString('hex');
}

export function stateReads(keys: ProfileKeys): Operation[] {
  return [get(keys.meta), get(keys.build), getMany(keys.generations, { limit: 1, keys_only: true })];
}

/** Throws index.invalid where records are there that can't be told old from new: never "all new". */
export function readState(keys: ProfileKeys, answers: readonly OperationAnswer[]): IndexState | null {
  const [[meta], [build], [record]] = [found(answers[0]), found(answers[1]), found(answers[2])];
  if (meta === undefined) {
    if (record !== undefined) throw lostMeta(keys.meta);
    return null;
  }
  const parsed = parseMeta(meta.value);
  if (parsed === null) throw unreadableMeta(keys.meta);
  if (parsed.schema !== SCHEMA_VERSION) throw otherSchema(parsed.schema, keys.meta);
  return { generation: parsed.generation, build: build?.value.toString() ?? null };
}

function sameBuild(keys: ProfileKeys, { build }: IndexState): Comparison {
  return build === null ? isAbsent(keys.build) : holds(keys.build, build);
}
