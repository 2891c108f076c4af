/** What every FileMemory does. `make` gives one that remembers nothing, and the index whose records it tells. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { FileMemory, MemoryPlace, ProcessedIndex } from '../../drivers/ports.ts';
import { profile, rebuilt, sha256 } from './contents.ts';

export type FileMemoryUnderTest = { memory: FileMemory; index: ProcessedIndex; close(): Promise<void> };

const file = (name: string | Uint8Array, version = 'v1') => ({
  name: typeof name === 'string' ? Buffer.from(name) : name,
  version,
});
const standing = '0123456789abcdef';

export function describeFileMemory(name: string, make: () => Promise<FileMemoryUnderTest>): void {
  describe(`memory of files: ${name}`, () => {
    let made: FileMemoryUnderTest;
    let memory: FileMemory;
    let place: MemoryPlace;
    beforeAll(async () => {
      made = await make();
      memory = made.memory;
    });
    beforeEach(() => {
      place = { source: `s3://in/${randomUUID()}/`, destination: 's3://out/', profile: profile() };
    });
    afterAll(() => made?.close());
    const record = (content: string) => made.index.add({ profile: place.profile, sha256: content }, rebuilt);

    test('exactly what was noted is recalled, in the order asked', async () => {
      const [one, other] = [sha256(), sha256()];
      await memory.remember(place, [
        { ...file('a'), sha256: one },
        { ...file('b'), sha256: other },
      ]);
      expect(await memory.recall(place, [file('c'), file('b'), file('a'), file('a', 'v2')])).toEqual([
        null,
        { sha256: other, record: null },
        { sha256: one, record: null },
        null,
      ]);
    });

    test('with each note comes the record that the index has now, and only that of its content', async () => {
      const [done, unknown] = [sha256(), sha256()];
      await record(done);
      await memory.remember(place, [
        { ...file('unknown'), sha256: unknown },
        { ...file('done'), sha256: done },
      ]);
      const page = [file('nothing'), file('unknown'), file('done')];
      const recalled = async () =>
        (await memory.recall(place, page)).map((note) => (note === null ? 'nothing' : note.record));
      expect(await recalled()).toEqual(['nothing', null, rebuilt]);
      await made.index.forget({ profile: place.profile, sha256: done });
      expect(await recalled()).toEqual(['nothing', null, null]);
      await record(unknown);
      expect(await recalled()).toEqual(['nothing', rebuilt, null]);
    });

    test('a name has one note: the last', async () => {
      const [one, other] = [sha256(), sha256()];
      await memory.remember(place, [{ ...file('a', 'v1'), sha256: one, delivery: { standing } }]);
      await memory.remember(place, [{ ...file('a', 'v2'), sha256: other }]);
      expect(await memory.recall(place, [file('a', 'v1'), file('a', 'v2')])).toEqual([
        null,
        { sha256: other, record: null },
      ]);
    });

    test.each([
      { standing },
      { standing, report: 'xml', sameBytes: true },
      { standing, report: 'json', sameBytes: false },
      { standing, sameBytes: true },
      { standing: 'f'.repeat(16), report: 'json' },
    ] as const)('the delivery comes back as it was noted: %j', async (delivery) => {
      const content = sha256();
      await memory.remember(place, [{ ...file('a'), sha256: content, delivery }]);
      expect(await memory.recall(place, [file('a')])).toEqual([{ sha256: content, delivery, record: null }]);
    });

    test('another source, destination or profile knows nothing of it', async () => {
      await memory.remember(place, [{ ...file('a'), sha256: sha256() }]);
      for (const other of [{ source: 's3://in/' }, { destination: 's3://other/' }, { profile: profile() }]) {
        expect(await memory.recall({ ...place, ...other }, [file('a')])).toEqual([null]);
      }
      const swapped = { ...place, source: place.destination, destination: place.source };
      expect(await memory.recall(swapped, [file('a')])).toEqual([null]);
    });

    test('names are bytes', async () => {
      const names = [
        Buffer.from([0xff]),
        Buffer.from([0xfe]),
        Buffer.from('\uFFFD'),
        Buffer.from('\u00e9'),
        Buffer.from('e\u0301'),
        Buffer.from('a\nb'),
        Buffer.from(''),
      ];
      const page = names.map((one) => file(one));
      for (const [i, one] of page.entries()) {
        await memory.remember(place, [{ ...one, sha256: sha256() }]);
        const known = (await memory.recall(place, page)).map((note) => note !== null);
        expect(known).toEqual(names.map((_, j) => j <= i));
      }
    });

    test('a page of 2,300, of which every third is noted and every sixtieth on record', async () => {
      const page = Array.from({ length: 2_300 }, (_, i) => ({
        ...file(`folder/${i}`, `v${i}`),
        sha256: sha256(),
      }));
      await memory.remember(
        place,
        page.filter((_, i) => i % 3 === 0),
      );
      for (const [i, one] of page.entries()) if (i % 60 === 0) await record(one.sha256);
      expect(await memory.recall(place, page)).toEqual(
        page.map((one, i) =>
          i % 3 === 0 ? { sha256: one.sha256, record: i % 60 === 0 ? rebuilt : null } : null,
        ),
      );
    });

    test('nothing asked, nothing noted', async () => {
      await memory.remember(place, []);
      expect(await memory.recall(place, [])).toEqual([]);
    });

    test('what is no sha256, or no hash of what stands, is refused', async () => {
      const invalid = { code: 'index.invalid', retryable: false };
      for (const note of [
        { sha256: 'x' },
        { sha256: sha256().toUpperCase() },
        { sha256: sha256(), delivery: { standing: '1' } },
      ]) {
        await expect(memory.remember(place, [{ ...file('a'), ...note }])).rejects.toMatchObject(invalid);
      }
    });
  });
}
