/** Pages of files that need no reading, which are longer than what was asked for. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Dependencies } from '../../../activities/dependencies.ts';
import { listPage } from '../../../activities/list-page.ts';
import type { FileName } from '../../../workflows/contract.ts';
import { fingerprint, removeWorlds, world } from './world.ts';

afterEach(removeWorlds);

const HOUR = 3_600_000;
const sha256 = createHash('sha256').update('x').digest('hex');

/** `count` files of one content, an hour old, noted and on record but for `fresh` of them, by their number. */
async function source({ count, fresh = [], path = '' }: { count: number; fresh?: number[]; path?: string }) {
  const { deps, destination } = world();
  const entries = Array.from({ length: count }, (_, i) => ({
    kind: 'file' as const,
    name: Buffer.from(`${path}${String(i).padStart(5, '0')}`),
    size: 1,
    version: 'v',
    modifiedAt: 0,
    changedAt: Date.now() - HOUR,
  }));
  const list = async (cursor: Uint8Array | null, limit: number) => {
    const from = entries.findIndex(({ name }) => cursor !== null && name.equals(cursor)) + 1;
    const page = entries.slice(from, from + limit);
    return { entries: page, next: from + limit < count ? (page.at(-1)?.name ?? null) : null };
  };
  const open = async () => ({ size: 1, body: Readable.from([Buffer.from('x')]) });
  const withSource = { ...deps, openSource: () => ({ list, open }) } as unknown as Dependencies;
  const place = { source: 'file:///in', destination, profile: fingerprint };
  await deps.index.add({ sha256, profile: fingerprint }, { verdict: 'rebuilt', destination });
  await deps.memory.remember(
    place,
    entries
      .filter((_, i) => !fresh.includes(i))
      .map(({ name }) => ({ name, version: 'v 1 0', sha256, delivery: { standing: '0'.repeat(16) } })),
  );
  let page = 0;
  return (cursor: FileName | null, limit: number) => {
    page += 1;
    const of = { scanId: 'scan', firstRunId: 'run', page, ...place, cursor, limit, watch: false };
    const profile = { name: 'default', fingerprint };
    const input = { ...of, profile, maxInputBytes: 1000 };
    return listPage(withSource, input, () => {}, new AbortController().signal);
  };
}

describe('a page of files that are known', () => {
  test('goes on past its limit to the end of the source', async () => {
    const list = await source({ count: 777 });
    const { settled, work, next } = await list(null, 25);
    expect([settled.length, work.length, next]).toEqual([777, 0, null]);
  });

  test('goes no further than the first that must be read', async () => {
    const list = await source({ count: 1_000, fresh: [300] });
    const { settled, next } = await list(null, 25);
    expect(settled.length).toBeGreaterThan(300);
    expect(settled.length).toBeLessThan(600);
    expect(next?.path).toBe(
      settled
        .map(({ name }) => name.path)
        .sort()
        .at(-1),
    );
  });

  test('is as long as it was asked for when the first ones must be read', async () => {
    const list = await source({ count: 1_000, fresh: [3] });
    expect((await list(null, 25)).settled).toHaveLength(25);
  });

  test('ends, so that a scan of a million tells its progress; the pages hold each file once', async () => {
    const list = await source({ count: 5_000 });
    const names: string[] = [];
    let cursor: FileName | null = null;
    let pages = 0;
    do {
      const page = await list(cursor, 25);
      expect(page.settled.length).toBeLessThanOrEqual(1_200);
      names.push(...page.settled.map(({ name }) => name.path));
      cursor = page.next;
      pages += 1;
    } while (cursor !== null);
    expect([names.length, new Set(names).size]).toEqual([5_000, 5_000]);
    expect(pages).toBeLessThanOrEqual(6);
  });

  test('fits into a payload however long the names are', async () => {
    const list = await source({ count: 1_000, path: '\u0001'.repeat(1_000) });
    const page = await list(null, 25);
    expect(page.settled.length).toBeGreaterThan(25);
    expect(Buffer.byteLength(JSON.stringify(page))).toBeLessThan(1.5 * 1024 * 1024);
  });
});
