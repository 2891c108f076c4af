/** What every SeenFiles does. `make` gives one that has seen nothing. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { SeenFiles } from '../../drivers/ports.ts';

export type SeenUnderTest = { seen: SeenFiles; close(): Promise<void> };

const file = (name: string | Uint8Array, version = 'v1') => ({
  name: typeof name === 'string' ? Buffer.from(name) : name,
  version,
});

/** Whether each was seen, whatever it was marked with. */
const known = (marks: readonly unknown[]) => marks.map((mark) => mark !== null);

export function describeSeen(name: string, make: () => Promise<SeenUnderTest>): void {
  describe(`seen files: ${name}`, () => {
    let made: SeenUnderTest;
    let seen: SeenFiles;
    beforeAll(async () => {
      made = await make();
      seen = made.seen;
    });
    afterAll(() => made?.close());

    test('exactly what was marked was seen, in the order asked', async () => {
      const scan = randomUUID();
      await seen.mark(scan, [file('a'), file('b')]);
      expect(await seen.seen(scan, [file('c'), file('b'), file('a'), file('a', 'v2')])).toEqual([
        null,
        {},
        {},
        null,
      ]);
    });

    test('a name has one version: the last that was marked', async () => {
      const scan = randomUUID();
      await seen.mark(scan, [file('a', 'v1')]);
      await seen.mark(scan, [file('a', 'v2')]);
      expect(await seen.seen(scan, [file('a', 'v1'), file('a', 'v2')])).toEqual([null, {}]);
    });

    test('of a quarantined content the mark says which, until another mark takes its place', async () => {
      const scan = randomUUID();
      const [one, other] = ['ab'.repeat(32), '00'.repeat(32)];
      await seen.mark(scan, [
        { ...file('a'), quarantined: one },
        { ...file('b'), quarantined: other },
        { ...file('c'), quarantined: undefined },
      ]);
      expect(await seen.seen(scan, [file('a'), file('b'), file('c'), file('a', 'v2')])).toEqual([
        { quarantined: one },
        { quarantined: other },
        {},
        null,
      ]);
      await seen.mark(scan, [file('a')]);
      expect(await seen.seen(scan, [file('a')])).toEqual([{}]);
    });

    test('scans know nothing of each other, whatever they are called', async () => {
      const tag = randomUUID();
      const scans = [`${tag} a`, `${tag}{a}`, `${tag}}{a`, `${tag}\na`, `${tag}%0Aa`, `${tag}ä`];
      for (const [i, scan] of scans.entries()) await seen.mark(scan, [file('x', `v${i}`)]);
      for (const [i, scan] of scans.entries()) {
        expect(await seen.seen(scan, [file('x', `v${i}`), file('x', `v${i + 1}`)])).toEqual([{}, null]);
      }
    });

    test('names are bytes', async () => {
      const scan = randomUUID();
      const names = [
        Buffer.from([0xff]),
        Buffer.from([0xfe]),
        Buffer.from('\uFFFD'),
        Buffer.from('\u00e9'),
        Buffer.from('e\u0301'),
        Buffer.from('a\nb'),
        Buffer.from(''),
      ];
      for (const [i, one] of names.entries()) {
        expect(await seen.seen(scan, [file(one)])).toEqual([null]);
        await seen.mark(scan, [file(one)]);
        const marks = await seen.seen(
          scan,
          names.map((n) => file(n)),
        );
        expect(known(marks)).toEqual(names.map((_, j) => j <= i));
      }
    });

    test('a page of 500', async () => {
      const scan = randomUUID();
      const page = Array.from({ length: 500 }, (_, i) => file(`folder/${i}`, `v${i}`));
      await seen.mark(
        scan,
        page.filter((_, i) => i % 3 === 0),
      );
      expect(known(await seen.seen(scan, page))).toEqual(page.map((_, i) => i % 3 === 0));
    });

    test('nothing asked, nothing marked', async () => {
      const scan = randomUUID();
      await seen.mark(scan, []);
      expect(await seen.seen(scan, [])).toEqual([]);
    });

    test('a forgotten scan has seen nothing', async () => {
      const [scan, other] = [randomUUID(), randomUUID()];
      await seen.mark(scan, [file('a')]);
      await seen.mark(other, [file('a')]);
      await seen.forget(scan);
      await seen.forget(scan);
      expect(await seen.seen(scan, [file('a')])).toEqual([null]);
      expect(await seen.seen(other, [file('a')])).toEqual([{}]);
    });
  });
}
