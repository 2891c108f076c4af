import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ListedFile, Source } from '../../drivers/ports.ts';
import { listAll, shown } from './collect.ts';
import { HOSTILE_NAMES } from './hostile-names.ts';

/** An empty folder or prefix of its own for each call of `make`. */
export type SourceUnderTest = {
  /** The source as a worker that has just started sees it. */
  open(now?: () => number): Source;
  /** A source of the same kind whose folder or bucket does not exist. */
  openMissing(): Source;
  put(name: string, bytes: string): Promise<void>;
  remove(name: string): Promise<void>;
  close(): Promise<void>;
};

/** What every Source has to do. */
export function describeSource(kind: string, make: () => Promise<SourceUnderTest>): void {
  describe(`${kind} as a source`, () => {
    const made: SourceUnderTest[] = [];
    const fresh = async () => {
      const place = await make();
      made.push(place);
      return place;
    };
    afterAll(() => Promise.all(made.map((place) => place.close())));

    describe('listing', () => {
      let place: SourceUnderTest;
      beforeAll(async () => {
        place = await fresh();
        for (const name of [...HOSTILE_NAMES, 'a-c', 'a/b', 'a/b-c', 'a.d', 'a0'])
          await place.put(name, name);
      });
      const wanted = [...HOSTILE_NAMES, 'a-c', 'a/b', 'a/b-c', 'a.d', 'a0'];

      test('tells every file once, by its bytes, with its size', async () => {
        const entries = await listAll(place.open(), 1000);
        expect(shown(entries).sort()).toEqual(
          wanted.map((name) => Buffer.from(name).toString('latin1')).sort(),
        );
        for (const entry of entries) {
          expect(entry).toMatchObject({ kind: 'file', size: entry.name.length });
        }
      });

      test('is the same in pages of any size', async () => {
        const all = shown(await listAll(place.open(), 1000));
        for (const limit of [1, 2, 7]) expect(shown(await listAll(place.open(), limit))).toEqual(all);
      });

      test('goes on from every entry, in the same process and in a new one', async () => {
        const warm = place.open();
        const all = await listAll(warm, 1000);
        for (const [at, { name }] of all.entries()) {
          const rest = shown(all.slice(at + 1));
          expect(shown(await listAll(warm, 1000, name))).toEqual(rest);
          expect(shown(await listAll(place.open(), 1000, name))).toEqual(rest);
        }
      });

      test('gives at most as many as asked for', async () => {
        const page = await place.open().list(null, 3);
        expect(page.entries).toHaveLength(3);
        expect(page.next).toEqual(page.entries[2]?.name);
      });

      test('gives the same version twice', async () => {
        expect(await listAll(place.open(), 1000)).toEqual(await listAll(place.open(), 5));
      });

      test('each entry opens with its bytes', async () => {
        const source = place.open();
        for (const entry of await listAll(source, 1000)) {
          const { name, version, size } = entry as ListedFile;
          const opened = await source.open(name, version);
          expect(opened.size).toBe(size);
          expect(await buffer(opened.body)).toEqual(Buffer.from(name));
        }
      });

      test('each entry has a link that gives its bytes', async () => {
        const source = place.open();
        for (const entry of await listAll(source, 1000)) {
          const { name } = entry;
          const link = await source.signGet(name, { pod: 'a-pod', expiresAt: Date.now() + 60_000 });
          const answer = await fetch(link);
          expect([shown([entry]), answer.status]).toEqual([shown([entry]), 200]);
          expect(Buffer.from(await answer.arrayBuffer())).toEqual(Buffer.from(name));
        }
      });
    });

    test('an empty source lists nothing', async () => {
      const source = (await fresh()).open();
      await source.check();
      expect(await source.list(null, 10)).toEqual({ entries: [], next: null });
    });

    test('a missing source is an error, never empty', async () => {
      const source = (await fresh()).openMissing();
      const missing = { name: 'DriverError', code: 'source.missing', retryable: false };
      await expect(source.check()).rejects.toMatchObject(missing);
      await expect(source.list(null, 10)).rejects.toMatchObject(missing);
      await expect(source.list(Buffer.from('a'), 10)).rejects.toMatchObject(missing);
    });

    test('goes on after a file that is not there any more', async () => {
      const place = await fresh();
      for (const name of ['a', 'b', 'c']) await place.put(name, name);
      const source = place.open();
      const { next } = await source.list(null, 2);
      await place.remove('b');
      for (const each of [source, place.open()]) {
        expect(shown(await listAll(each, 10, next))).toEqual(['c']);
      }
    });

    test('a file that was rewritten has another version and does not open with the old one', async () => {
      const place = await fresh();
      await place.put('file', 'before');
      const source = place.open();
      const [before] = (await listAll(source, 10)) as ListedFile[];
      await place.put('file', 'behind');
      const [after] = (await listAll(source, 10)) as ListedFile[];
      expect(after?.version).not.toBe(before?.version);
      await expect(source.open(Buffer.from('file'), before?.version ?? '')).rejects.toMatchObject({
        name: 'DriverError',
        code: 'source.changed',
      });
    });

    test('a file that was removed is gone', async () => {
      const place = await fresh();
      await place.put('file', 'bytes');
      await place.put('other', 'bytes');
      const source = place.open();
      const [file] = (await listAll(source, 10)) as ListedFile[];
      const link = await source.signGet(Buffer.from('file'), {
        pod: 'a-pod',
        expiresAt: Date.now() + 60_000,
      });
      await place.remove('file');
      await expect(source.open(Buffer.from('file'), file?.version ?? '')).rejects.toMatchObject({
        name: 'DriverError',
        code: 'source.gone',
      });
      expect((await fetch(link)).status).toBe(404);
    });

    test('a file of no bytes is one', async () => {
      const place = await fresh();
      await place.put('empty', '');
      const source = place.open();
      const [file] = (await listAll(source, 10)) as ListedFile[];
      expect(file).toMatchObject({ kind: 'file', size: 0 });
      const opened = await source.open(Buffer.from('empty'), file?.version ?? '');
      expect(await buffer(opened.body)).toHaveLength(0);
    });

    test('reading can be broken off', async () => {
      const place = await fresh();
      await place.put('large', 'x'.repeat(3_000_000));
      const source = place.open();
      const [file] = (await listAll(source, 10)) as ListedFile[];
      const { body } = await source.open(Buffer.from('large'), file?.version ?? '');
      for await (const chunk of body) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
      expect(body.destroyed).toBe(true);
    });

    test('a link is for reading, for one file, and not for ever', async () => {
      const place = await fresh();
      await place.put('mine', 'mine');
      await place.put('your', 'your');
      const name = Buffer.from('mine');
      const link = await place.open().signGet(name, { pod: 'a-pod', expiresAt: Date.now() + 60_000 });
      expect((await fetch(link, { method: 'PUT', body: 'x' })).status).toBe(403);
      expect((await fetch(`${link.slice(0, -1)}${link.endsWith('0') ? '1' : '0'}`)).status).toBe(403);

      const hourAgo = Date.now() - 3_600_000;
      const old = await place
        .open(() => hourAgo)
        .signGet(name, { pod: 'a-pod', expiresAt: hourAgo + 60_000 });
      expect((await fetch(old)).status).toBe(403);
      expect(await (await fetch(link)).text()).toBe('mine');
    });
  });
}
