/** FileMemory in memory, for tests of activities. Held to the same contract as the real one. */
import { DriverError } from '../../drivers/errors.ts';
import type { FileMemory, FileNote, MemoryPlace, NameBytes, ProcessedIndex } from '../../drivers/ports.ts';

export function createFakeFileMemory(index: Pick<ProcessedIndex, 'lookup'>): FileMemory {
  const notes = new Map<string, { version: string; note: FileNote }>();
  const keyOf = ({ source, destination, profile }: MemoryPlace, name: NameBytes) =>
    JSON.stringify([source, destination, profile, Buffer.from(name).toString('latin1')]);

  return {
    recall: (place, files) =>
      Promise.all(
        files.map(async ({ name, version }) => {
          const held = notes.get(keyOf(place, name));
          if (held?.version !== version) return null;
          const [record = null] = await index.lookup(place.profile, [held.note.sha256]);
          return { ...held.note, record };
        }),
      ),
    async remember(place, files) {
      for (const { name, version, sha256, delivery } of files) {
        if (!/^[0-9a-f]{64}$/.test(sha256) || !/^[0-9a-f]{16}$/.test(delivery?.standing ?? '0'.repeat(16))) {
          throw new DriverError('index.invalid', 'A note needs hashes', { retryable: false });
        }
        const note = delivery === undefined ? { sha256 } : { sha256, delivery: { ...delivery } };
        notes.set(keyOf(place, name), { version, note });
      }
    },
  };
}
