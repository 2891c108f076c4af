/** What every SeenFiles does. `make` gives one that has seen nothing. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { SeenFiles } from '../../drivers/ports.ts';

export type SeenUnderTest = { seen: SeenFiles; close(): Promise<void> };

const file = (name: string | Uint8Array, version = 'v1') => ({
  name: typeof name === 'string' ? Buffer.from(name) : name,
  version,
});

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
        false,
        true,
        true,
        false,
      ]);
    });

    test('a name has one version: the last that was marked', async () => {
      const scan = randomUUID();
      await seen.mark(scan, [file('a', 'v1')]);
      await seen.mark(scan, [file('a', 'v2')]);
      expect(await seen.seen(scan, [file('a', 'v1'), file('a', 'v2')])).toEqual([false, true]);
    });

    test('scans know nothing of each other, whatever they are called', async () => {
      const tag = randomUUID();
      const scans = [`${tag} a`, `${tag}{a}`, `${tag}}{a`, `${tag}\na`, `${tag}%0Aa`, `${tag}ä`];
      for (const [i, scan] of scans.entries()) await seen.mark(scan, [file('x', `v${i}`)]);
      for (const [i, scan] of scans.entries()) {
        expect(await seen.seen(scan, [file('x', `v${i}`), file('x', `v${i + 1}`)])).toEqual([true, false]);
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
        expect(await seen.seen(scan, [file(one)])).toEqual([false]);
        await seen.mark(scan, [file(one)]);
        expect(
          await seen.seen(
            scan,
            names.map((n) => file(n)),
          ),
        ).toEqual(names.map((_, j) => j <= i));
      }
    });

    test('a page of 500', async () => {
      const scan = randomUUID();
      const page = Array.from({ length: 500 }, (_, i) => file(`folder/${i}`, `v${i}`));
      await seen.mark(
        scan,
        page.filter((_, i) => i % 3 === 0),
      );
      expect(await seen.seen(scan, page)).toEqual(page.map((_, i) => i % 3 === 0));
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
      expect(await seen.seen(scan, [file('a')])).toEqual([false]);
      expect(await seen.seen(other, [file('a')])).toEqual([true]);
    });
  });
}
