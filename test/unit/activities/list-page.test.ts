import { Readable } from 'node:stream';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Dependencies } from '../../../activities/dependencies.ts';
import { pageKey, receiptKey } from '../../../activities/keys.ts';
import { listPage } from '../../../activities/list-page.ts';
import { settleFiles } from '../../../activities/settle-files.ts';
import type { SettledFile } from '../../../workflows/scan-state.ts';
import { fingerprint, removeWorlds, sha256Of, world } from './world.ts';

afterEach(removeWorlds);

/** A watching scan whose source holds these files; each listing is a pass of its own. */
function watching(files: Record<string, string>) {
  const { deps, destination } = world();
  const opened: string[] = [];
  const source = {
    list: async () => ({
      entries: Object.keys(files).map((name) => ({
        kind: 'file' as const,
        name: Buffer.from(name),
        size: 1,
        version: 'v1',
        modifiedAt: 0,
        changedAt: Date.now(),
      })),
      next: null,
    }),
    open: async (name: Uint8Array) => {
      opened.push(Buffer.from(name).toString());
      return { size: 1, body: Readable.from([Buffer.from(files[Buffer.from(name).toString()] ?? '')]) };
    },
  };
  const withSource = { ...deps, openSource: () => source } as unknown as Dependencies;
  let page = 0;
  const list = async () => {
    page += 1;
    const { work, settled } = await listPage(
      withSource,
      {
        scanId: 'scan',
        firstRunId: 'run',
        page,
        source: 'file:///in',
        destination,
        profile: { name: 'default', fingerprint },
        cursor: null,
        limit: 10,
        maxInputBytes: 1000,
        watch: true,
      },
      () => {},
      new AbortController().signal,
    );
    return [
      ...work.map(({ name }) => `${name.path} new`),
      ...settled.map(({ name, outcome }) => `${name.path} ${outcome}`),
    ].sort();
  };
  const record = (content: string, verdict: 'rebuilt' | 'quarantined') =>
    deps.index.add({ sha256: sha256Of(content), profile: fingerprint }, { verdict, destination });
  const mark = (name: string, quarantined?: string) =>
    deps.seen.mark('scan', [
      {
        name: Buffer.from(name),
        version: 'v1',
        ...(quarantined === undefined ? {} : { quarantined: sha256Of(quarantined) }),
      },
    ]);
  const kept = (number: number) => deps.openDestination(destination).read(pageKey('scan', 'run', number));
  let part = 0;
  /** What the scan says became of a file. */
  const settle = async (name: string, file: Pick<SettledFile, 'outcome' | 'from'>) => {
    part += 1;
    const settled = {
      ...file,
      name: { path: name },
      size: 1,
      version: 'v1',
      sha256: sha256Of(files[name] ?? ''),
    };
    const of = { scanId: 'scan', firstRunId: 'run', part, destination, watch: true };
    const profile = { name: 'default', fingerprint };
    return settleFiles(deps, { ...of, profile, files: [settled] }, () => {});
  };
  return { deps, destination, list, record, mark, settle, opened, kept };
}

describe('what a watching scan meets again', () => {
  test('not what it has settled, nor a quarantined content while that is on record', async () => {
    const { list, record, mark, opened } = watching({ done: 'a', held: 'b', fresh: 'c' });
    await record('b', 'quarantined');
    await mark('done');
    await mark('held', 'b');
    expect(await list()).toEqual(['fresh new']);
    expect(opened).toEqual(['fresh']);
  });

  test('a pass that finds nothing new writes nothing', async () => {
    const { list, mark, kept } = watching({ a: 'one' });
    expect(await list()).toEqual(['a new']);
    await mark('a');
    expect(await list()).toEqual([]);
    expect([(await kept(1)) !== null, await kept(2)]).toEqual([true, null]);
  });

  test('a quarantined content once an operator has cleared it, once', async () => {
    const { deps, list, record, mark } = watching({ held: 'b', other: 'c' });
    await record('b', 'quarantined');
    await record('c', 'quarantined');
    await mark('held', 'b');
    await mark('other', 'c');
    expect(await list()).toEqual([]);
    await deps.index.forget({ sha256: sha256Of('b'), profile: fingerprint });
    expect(await list()).toEqual(['held new']);
    await record('b', 'rebuilt');
    await mark('held');
    expect(await list()).toEqual([]);
  });

  test('one that somebody else has rebuilt since', async () => {
    const { list, record, mark } = watching({ held: 'b' });
    await record('b', 'rebuilt');
    await mark('held', 'b');
    expect(await list()).toEqual(['held delivered']);
  });

  test('what moved while it was read, or a step of ours failed for, on every pass until it is through', async () => {
    const { list, record, settle, destination } = watching({ moved: 'a', went: 'b', failed: 'c' });
    for (let pass = 0; pass < 3; pass++) {
      expect(await list()).toEqual(['failed new', 'moved new', 'went new']);
      await settle('moved', { outcome: 'changed' });
      await settle('went', { outcome: 'gone' });
      await settle('failed', { outcome: 'quarantined' });
    }
    await record('c', 'quarantined');
    await settle('failed', { outcome: 'quarantined', from: destination });
    expect(await list()).toEqual(['moved new', 'went new']);
  });

  test('a file whose receipt can not be read, until that was moved away', async () => {
    const { deps, list, record, settle, destination } = watching({ a: 'a' });
    const key = receiptKey({ sha256: sha256Of('a'), fingerprint });
    await deps.openDestination(destination).write(key, '{');
    await record('a', 'rebuilt');
    for (let pass = 0; pass < 2; pass++) {
      expect(await list()).toEqual(['a delivered']);
      expect(await settle('a', { outcome: 'delivered', from: destination })).toMatchObject({
        counts: { quarantined: 1 },
      });
    }
    await deps.openDestination(destination).remove(key);
    expect(await list()).toEqual(['a delivered']);
    expect(await settle('a', { outcome: 'delivered', from: destination })).toMatchObject({ missing: [0] });
  });
});
