import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Destination, Digest } from '../../drivers/ports.ts';
import { keysOf, readText } from './collect.ts';
import { HOSTILE_NAMES } from './hostile-names.ts';

/** An empty folder or prefix. */
export type DestinationUnderTest = {
  open(now?: () => number): Destination;
  /** The same, to which what was just written is old; where that makes a difference. */
  openLater?(): Destination;
  /** Whatever lies there that `list` does not show: temporary files, unfinished uploads. */
  leftovers(): Promise<string[]>;
  close(): Promise<void>;
};

const SLOT = 'content/ab/abcd/12345678/a1-x';
const GRANT = { pod: 'a-pod', maxBytes: 1_000_000 };

/** What every Destination has to do. */
export function describeDestination(kind: string, make: () => Promise<DestinationUnderTest>): void {
  describe(`${kind} as a destination`, () => {
    let place: DestinationUnderTest;
    let destination: Destination;
    beforeAll(async () => {
      place = await make();
    });
    beforeEach(() => {
      destination = place.open();
    });
    afterAll(async () => {
      expect(await place.leftovers()).toEqual([]);
      await place.close();
    });

    test('its check leaves nothing behind', async () => {
      await destination.check();
      await destination.check();
      expect(await keysOf(destination, 'scans/')).toEqual([]);
    });

    test.each<[string, () => Readable | Uint8Array | string, string]>([
      ['text', () => 'sm\u00f8rrebr\u00f8d', 'sm\u00f8rrebr\u00f8d'],
      ['no text', () => '', ''],
      ['bytes', () => Buffer.from('bytes'), 'bytes'],
      ['a stream', () => Readable.from([Buffer.from('a '), Buffer.from('stream')]), 'a stream'],
      ['a stream of nothing', () => Readable.from([]), ''],
      ['a stream of twelve megabytes', () => Readable.from(megabytes(12)), 'm'.repeat(12 * 1024 ** 2)],
    ])('writes %s, says what it wrote, and reads it back', async (name, body, text) => {
      expect(await destination.write(`scans/write/${name}`, body())).toEqual(digestOf(text));
      expect((await readText(destination, `scans/write/${name}`)) === text).toBe(true);
    });

    test('writing again replaces', async () => {
      await destination.write('scans/again', 'a longer first text');
      await destination.write('scans/again', 'second');
      expect(await readText(destination, 'scans/again')).toBe('second');
    });

    test.each([0, 1, 12])('a body that fails after %i megabytes leaves what was there', async (count) => {
      await destination.write('scans/failing', 'before');
      const failure = new Error('the source broke off');
      async function* broken() {
        yield* megabytes(count);
        throw failure;
      }
      await expect(destination.write('scans/failing', Readable.from(broken()))).rejects.toBe(failure);
      expect(await readText(destination, 'scans/failing')).toBe('before');
    });

    test('what is not there reads as null', async () => {
      expect(await destination.read('content/no/such/thing')).toBeNull();
      expect(await destination.read('scans/again/not-a-folder').catch(() => null)).toBeNull();
    });

    test('reading can be broken off', async () => {
      await destination.write('scans/large', Readable.from(megabytes(3)));
      const found = await destination.read('scans/large');
      for await (const chunk of found?.body ?? []) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
      expect(found?.body.destroyed).toBe(true);
    });

    test('creates once', async () => {
      expect(await destination.create(`${SLOT}/receipt.json`, 'first')).toBe(true);
      expect(await destination.create(`${SLOT}/receipt.json`, 'second')).toBe(false);
      expect(await readText(destination, `${SLOT}/receipt.json`)).toBe('first');
    });

    test('of twenty that create at once one wins, and its bytes stay', async () => {
      const bodies = Array.from({ length: 20 }, (_, at) => `writer ${at}`);
      const key = 'content/cd/cdef/12345678/receipt.json';
      const won = await Promise.all(bodies.map((body) => place.open().create(key, body)));
      expect(won.filter(Boolean)).toHaveLength(1);
      expect(await readText(destination, key)).toBe(bodies[won.indexOf(true)]);
    });

    describe('copying', () => {
      const from = `${SLOT}/rebuilt`;
      const to = 'tree/copied/file';
      beforeEach(async () => {
        await destination.write(from, 'the rebuilt bytes');
        await destination.write(to, 'old');
      });

      test.each(['', 'x', 'the rebuilt bytes', 'm'.repeat(3 * 1024 ** 2)])(
        'replaces by exactly the expected bytes (%#)',
        async (text) => {
          await destination.write(from, text);
          await destination.copy(from, to, digestOf(text));
          expect((await readText(destination, to)) === text).toBe(true);
        },
      );

      test.each([
        ['of another hash', digestOf('the rebuilT bytes')],
        ['shorter than expected', { ...digestOf('the rebuilt bytes'), size: 18 }],
        ['longer than expected', { ...digestOf('the rebuilt bytes'), size: 16 }],
        ['expected to be empty', digestOf('')],
      ])('content %s is refused and the old stays', async (_, expected) => {
        await expect(destination.copy(from, to, expected)).rejects.toMatchObject({
          code: 'content.mismatch',
        });
        expect(await readText(destination, to)).toBe('old');
      });

      test('large or empty content of another hash is refused and the old stays', async () => {
        for (const text of ['', 'm'.repeat(3 * 1024 ** 2)]) {
          await destination.write(from, text);
          const expected = { size: text.length, sha256: digestOf('other').sha256 };
          await expect(destination.copy(from, to, expected)).rejects.toMatchObject({
            code: 'content.mismatch',
          });
          expect(await readText(destination, to)).toBe('old');
        }
      });

      test('content that is not there is missing and the old stays', async () => {
        await destination.remove(from);
        await expect(destination.copy(from, to, digestOf('x'))).rejects.toMatchObject({
          code: 'content.missing',
        });
        expect(await readText(destination, to)).toBe('old');
      });

      test('a refused copy makes nothing where nothing was', async () => {
        await destination.remove(to);
        await expect(destination.copy(from, to, digestOf('x'))).rejects.toMatchObject({
          code: 'content.mismatch',
        });
        expect(await destination.read(to)).toBeNull();
      });
    });

    test('removes, and what is gone is a success', async () => {
      await destination.write('tree/removed/a', 'a');
      await destination.remove('tree/removed/a');
      await destination.remove('tree/removed/a');
      await destination.remove('tree/never/was/there');
      expect(await destination.read('tree/removed/a')).toBeNull();
    });

    test('lists the keys under a prefix in byte order, with sizes', async () => {
      const keys = ['a-c', 'a/b', 'a/b-c', 'a/b/c', 'a.d', 'a0', 'z'].map((key) => `reports/${key}`);
      const possible = keys.filter((key) => key !== 'reports/a/b');
      for (const key of possible) await destination.write(key, key);
      await destination.write('reports-not/x', 'x');
      const listed = await Array.fromAsync(destination.list('reports/'));
      expect(listed.map(({ key }) => Buffer.from(key).toString())).toEqual([...possible].sort());
      for (const { key, size } of listed) expect(size).toBe(key.length);
      expect(await keysOf(destination, 'reports/a/')).toEqual(['reports/a/b-c', 'reports/a/b/c']);
      expect(await keysOf(destination, 'nothing/here/')).toEqual([]);
    });

    test('holds files of hostile names, each apart from the others', async () => {
      for (const name of HOSTILE_NAMES) await destination.write(Buffer.from(`tree/hostile/${name}`), name);
      for (const name of HOSTILE_NAMES) {
        expect(await readText(destination, Buffer.from(`tree/hostile/${name}`))).toBe(name);
      }
      const listed = await keysOf(destination, 'tree/hostile/');
      const wanted = HOSTILE_NAMES.map((name) => Buffer.from(`tree/hostile/${name}`));
      expect(listed).toEqual(wanted.sort(Buffer.compare).map((key) => key.toString('latin1')));
    });

    test.each(['', '.', '..', 'a//b', '/a', 'a/', 'a/../../b', './a', 'y'.repeat(1025)])(
      'refuses the name %j, and finds nothing there',
      async (name) => {
        const key = `tree/${name}`;
        const unsupported = { name: 'DriverError', code: 'destination.name-unsupported', retryable: false };
        await expect(destination.write(key, 'x')).rejects.toMatchObject(unsupported);
        await expect(destination.create(key, 'x')).rejects.toMatchObject(unsupported);
        await expect(destination.copy(`${SLOT}/rebuilt`, key, digestOf('x'))).rejects.toMatchObject(
          unsupported,
        );
        await expect(destination.signPut(key, { ...GRANT, expiresAt: soon() })).rejects.toMatchObject(
          unsupported,
        );
        expect(await destination.read(key)).toBeNull();
        await destination.remove(key);
      },
    );

    describe('what stands', () => {
      const old = () => place.openLater?.() ?? place.open();

      test('has a version while its bytes stay, in the order asked; nothing reads as absent', async () => {
        const names = ['tree/standing/b/x', 'tree/standing/a', `${SLOT}-standing/receipt.json`];
        for (const name of names) await destination.write(name, name);
        const none = ['tree/standing/none', 'tree/no/such/folder', 'tree/standing/b'];
        const keys = [names[0] ?? '', none[0] ?? '', names[2] ?? '', none[1] ?? '', names[1] ?? ''];
        const found = await old().standing(keys);
        expect(found).toEqual([
          expect.any(String),
          'absent',
          expect.any(String),
          'absent',
          expect.any(String),
        ]);
        expect(new Set(found).size).toBe(4);
        expect(await old().standing([...keys].reverse())).toEqual(found.reverse());
        expect(await destination.standing([])).toEqual([]);
      });

      test.each(['same size', 'another size altogether', ''])('has another once it is %j', async (text) => {
        const key = 'tree/standing/changed';
        await destination.write(key, 'SAME SIZE');
        const [before] = await old().standing([key]);
        await destination.write(key, text);
        const [after] = await old().standing([key]);
        expect(before).toEqual(expect.any(String));
        expect(after).toEqual(expect.any(String));
        expect(after).not.toBe(before);
      });

      test('is told of hostile names, and a name that nothing can have is not to be relied on', async () => {
        const keys = HOSTILE_NAMES.map((name) => Buffer.from(`tree/standing/hostile/${name}`));
        for (const key of keys) await destination.write(key, 'x');
        const bad = ['tree/../etc/passwd', '/tree/standing', 'tree//standing', 'tree/standing/'];
        expect(await old().standing([...keys, ...bad])).toEqual([
          ...keys.map(() => expect.stringMatching(/^(?!absent)./)),
          ...bad.map(() => null),
        ]);
      });

      test('of 500 at once', async () => {
        const keys = Array.from({ length: 500 }, (_, i) => `tree/standing/many/${i % 7}/${i}`);
        await Promise.all(keys.filter((_, i) => i % 5 === 0).map((key) => destination.write(key, key)));
        expect(await old().standing(keys)).toEqual(
          keys.map((_, i) => (i % 5 === 0 ? expect.stringMatching(/^(?!absent)./) : 'absent')),
        );
      });
    });

    describe('a link to upload', () => {
      const put = (link: string, body: string) =>
        fetch(link, { method: 'PUT', headers: { 'if-none-match': '*' }, body });

      test('creates its one object and never replaces it', async () => {
        const key = `${SLOT}-link/rebuilt`;
        const link = await destination.signPut(key, { ...GRANT, expiresAt: soon() });
        expect((await put(link, 'uploaded')).ok).toBe(true);
        expect((await put(link, 'replaced')).status).toBe(412);
        expect(await readText(destination, key)).toBe('uploaded');
      });

      test('creates an object of no bytes', async () => {
        const key = `${SLOT}-link/empty`;
        const link = await destination.signPut(key, { ...GRANT, expiresAt: soon() });
        expect((await put(link, '')).ok).toBe(true);
        expect(await readText(destination, key)).toBe('');
      });

      test('is refused for reading, when tampered with, and once expired', async () => {
        const key = `${SLOT}-link/never`;
        const link = await destination.signPut(key, { ...GRANT, expiresAt: soon() });
        expect((await fetch(link)).status).toBe(403);
        const other = `${link.slice(0, -1)}${link.endsWith('0') ? '1' : '0'}`;
        expect((await put(other, 'x')).status).toBe(403);
        const hourAgo = Date.now() - 3_600_000;
        const old = await place.open(() => hourAgo).signPut(key, { ...GRANT, expiresAt: hourAgo + 60_000 });
        expect((await put(old, 'x')).status).toBe(403);
        expect(await destination.read(key)).toBeNull();
      });
    });
  });
}

function soon(): number {
  return Date.now() + 60_000;
}

function digestOf(text: string): Digest {
  const bytes = Buffer.from(text);
  return { size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

async function* megabytes(count: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < count; at += 1) yield Buffer.alloc(1024 ** 2, 'm');
}
