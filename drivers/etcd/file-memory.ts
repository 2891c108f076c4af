/** Port FileMemory on etcd: one key a name, under one lease a profile, pair of places and period. */
import { formatNote, PERIOD_SECONDS, parseNote, periodsAt, placeHash } from '../file-note.ts';
import type { FileMemory, MemoryPlace, NameBytes, ProcessedIndex } from '../ports.ts';
import { nameHash } from '../seen-mark.ts';
import { found, type OperationAnswer } from './answers.ts';
import type { Etcd } from './connect.ts';
import { etcdKeys } from './keys.ts';
import { createLeaseHeads } from './lease-heads.ts';
import { createLeases } from './leases.ts';
import { get } from './transaction.ts';

export type EtcdFileMemoryOptions = {
  prefix: string;
  /** Has the records. */
  index: Pick<ProcessedIndex, 'lookup'>;
  /** Seconds of a period: notes that nobody asks for are kept for one to two of them. Default: 45 days. */
  periodSeconds?: number;
  now?: () => number;
};

/** Throws index.unavailable when etcd is away, index.invalid when something else has the keys' place. */
export function createEtcdFileMemory(etcd: Etcd, options: EtcdFileMemoryOptions): FileMemory {
  const keys = etcdKeys(options.prefix);
  const { index, periodSeconds = PERIOD_SECONDS, now = Date.now } = options;
  const heads = createLeaseHeads(etcd, createLeases(etcd), 2 * periodSeconds * 1000);
  const at = (place: MemoryPlace, which: 'current' | 'last') =>
    keys.files(place.profile, placeHash(place), periodsAt(now(), periodSeconds)[which]);
  const keyOf = (folder: { files: string }, name: NameBytes) =>
    folder.files + nameHash(name).toString('base64url');
  const noteOf = (answer: OperationAnswer | undefined) => found(answer)[0]?.value;

  /** What lies in the current period, or is taken over into it from the last one. */
  const noted = async (place: MemoryPlace, names: readonly NameBytes[]): Promise<(Buffer | undefined)[]> => {
    const [current, last] = [at(place, 'current'), at(place, 'last')];
    const notes = (await heads.run(names.map((name) => get(keyOf(current, name))))).map(noteOf);
    const missing = names.flatMap((name, i) => (notes[i] === undefined ? [{ name, i }] : []));
    const older = await heads.run(missing.map(({ name }) => get(keyOf(last, name))));
    const taken = new Map<string, Buffer>();
    for (const [j, { name, i }] of missing.entries()) {
      const note = noteOf(older[j]);
      if (note === undefined) continue;
      notes[i] = note;
      taken.set(keyOf(current, name), note);
    }
    if (taken.size > 0) await heads.putAll(current.head, taken);
    return notes;
  };

  return {
    async recall(place, files) {
      const found = await noted(
        place,
        files.map(({ name }) => name),
      );
      const notes = files.map(({ version }, i) => parseNote(found[i], version));
      const contents = notes.flatMap((note) => note?.sha256 ?? []);
      const records = (await index.lookup(place.profile, contents)).values();
      return notes.map((note) => note && { ...note, record: records.next().value ?? null });
    },
    async remember(place, notes) {
      if (notes.length === 0) return;
      const current = at(place, 'current');
      // A name that comes twice would make two puts of one key, which etcd does not take: the last one counts.
      await heads.putAll(
        current.head,
        new Map(notes.map((note) => [keyOf(current, note.name), formatNote(note)])),
      );
    },
  };
}
