/** Scans of one folder into another, one after the other: what is read and written again, and what is not. */
import { link, mkdir, readFile, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Dependencies } from '../../../activities/dependencies.ts';
import { receiptKey, slotKey } from '../../../activities/keys.ts';
import { listPage } from '../../../activities/list-page.ts';
import { settleFiles } from '../../../activities/settle-files.ts';
import { parseFileUrl } from '../../../drivers/file-system/file-url.ts';
import type { Source } from '../../../drivers/ports.ts';
import { FsSource } from '../../../drivers/source/fs.ts';
import type { ProfileRef } from '../../../workflows/contract.ts';
import { fingerprint, removeWorlds, sha256Of, world } from './world.ts';

afterEach(removeWorlds);

const HOUR = 3_600_000;
const plain: ProfileRef = { name: 'default', fingerprint };

/** A folder with docs/a, whose content was rebuilt; what is made is an hour old to whoever asks. */
async function known({ fresh = false } = {}) {
  const at = world();
  at.ahead.ms = HOUR;
  const opened: string[] = [];
  const written: string[] = [];
  const source = new FsSource(parseFileUrl(at.place('in'), 'source', [at.root]), { sign: () => '' });
  const watched: Pick<Source, 'url' | 'list' | 'open'> = {
    url: source.url,
    async list(cursor, limit) {
      const page = await source.list(cursor, limit);
      const age = fresh ? 0 : HOUR;
      return {
        ...page,
        entries: page.entries.map((entry) =>
          entry.kind === 'file' ? { ...entry, changedAt: entry.changedAt - age } : entry,
        ),
      };
    },
    open(name, version) {
      opened.push(Buffer.from(name).toString());
      return source.open(name, version);
    },
  };
  const deps = {
    ...at.deps,
    openSource: () => watched,
    openDestination: (url: string) => {
      const destination = at.deps.openDestination(url);
      const copy = destination.copy.bind(destination);
      destination.copy = (from, to, expected) => {
        written.push(Buffer.from(to).toString());
        return copy(from, to, expected);
      };
      return destination;
    },
  } as unknown as Dependencies;

  const path = (...names: string[]) => join(at.root, ...names);
  const put = async (name: string, content: string) => {
    await mkdir(dirname(path('in', name)), { recursive: true });
    await writeFile(path('in', name), content);
  };
  let scans = 0;
  /** What it read, what it took to deliver, and what became of the files. */
  const scan = async ({
    profile = plain,
    destination = at.destination,
    source: from = at.place('in'),
  } = {}) => {
    scans += 1;
    opened.splice(0);
    written.splice(0);
    const of = {
      scanId: `scan-${scans}`,
      firstRunId: 'run',
      source: from,
      destination,
      profile,
      watch: false,
    };
    const page = { page: 1, cursor: null, limit: 10, maxInputBytes: 1000 };
    const listed = await listPage(deps, { ...of, ...page }, () => {}, new AbortController().signal);
    const { counts, missing } = await settleFiles(deps, { ...of, part: 1, files: listed.settled }, () => {});
    const part = await readFile(
      path(destination.split('/').at(-1) ?? '', `scans/${of.scanId}/parts/run/0000001.jsonl`),
      'utf8',
    );
    return {
      read: [...opened].sort(),
      copied: [...written].sort(),
      work: listed.work.map(({ name, sha256 }) => `${name.path} ${sha256}`),
      delivered: counts.delivered,
      missing: missing.length,
      lines: part
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
    };
  };
  /** As often as it takes until nothing is read any more. */
  const settle = async () => {
    await scan();
    await scan();
    expect(await scan()).toMatchObject(untouched);
  };
  await put('docs/a', 'hostile');
  await at.attempt('hostile', 'clean');
  return { ...at, deps, path, put, scan, settle, tree: path('out/tree/docs/a') };
}

const untouched = { read: [], copied: [], work: [], delivered: 1, missing: 0 };
const readAgain = { read: ['docs/a'] };
const deliveredAgain = { read: [], copied: ['tree/docs/a'], delivered: 1 };

describe('a file that is as it was', () => {
  test('is read once, delivered, verified once more, and then only looked at', async () => {
    const at = await known();
    expect(await at.scan()).toMatchObject({ read: ['docs/a'], copied: ['tree/docs/a'], delivered: 1 });
    expect(await at.scan()).toMatchObject(deliveredAgain);
    const { ctimeNs } = await stat(at.tree, { bigint: true });
    for (let again = 0; again < 2; again++) expect(await at.scan()).toMatchObject(untouched);
    expect((await stat(at.tree, { bigint: true })).ctimeNs).toBe(ctimeNs);
  });

  test('has the manifest line that it had, but for what its receipt tells of the pod', async () => {
    const at = await known();
    const {
      lines: [first],
    } = await at.scan();
    await at.settle();
    const {
      lines: [last],
    } = await at.scan();
    const { pod, engineSeconds, settledAt, ...rest } = first;
    expect(pod).toBe('pod-a1-abc');
    expect(last).toEqual({ ...rest, settledAt: expect.any(String) });
    expect(last.receipt).toBe(receiptKey({ sha256: sha256Of('hostile'), fingerprint }));
  });

  test('is read again where its last change was too near to when it was read', async () => {
    const at = await known({ fresh: true });
    for (let again = 0; again < 3; again++) expect(await at.scan()).toMatchObject(readAgain);
  });
});

describe('a file that is not as it was is read', () => {
  test.each<[string, (at: Awaited<ReturnType<typeof known>>) => Promise<unknown>]>([
    ['another content', (at) => at.put('docs/a', 'a longer one')],
    [
      'a content of the same size with the time of the old one',
      async (at) => {
        const { atime, mtime } = await stat(at.path('in/docs/a'));
        await at.put('docs/a', 'HOSTILE');
        await utimes(at.path('in/docs/a'), atime, mtime);
      },
    ],
    [
      'another file of the same size and time in its place',
      async (at) => {
        const { atime, mtime } = await stat(at.path('in/docs/a'));
        await at.put('new', 'HOSTILE');
        await utimes(at.path('in/new'), atime, mtime);
        await rename(at.path('in/new'), at.path('in/docs/a'));
      },
    ],
  ])('%s', async (_, change) => {
    const at = await known();
    await at.settle();
    await change(at);
    const content = await readFile(at.path('in/docs/a'), 'utf8');
    expect(await at.scan()).toMatchObject({
      ...readAgain,
      work: [`docs/a ${sha256Of(content)}`],
      delivered: 0,
    });
  });

  test('a content whose record an operator has cleared', async () => {
    const at = await known();
    await at.settle();
    await at.deps.index.forget({ sha256: sha256Of('hostile'), profile: fingerprint });
    expect(await at.scan()).toMatchObject({ ...readAgain, work: [`docs/a ${sha256Of('hostile')}`] });
  });

  test('for another profile, destination or source, and always by force', async () => {
    const at = await known();
    await at.settle();
    expect(await at.scan({ destination: at.place('other') })).toMatchObject(readAgain);
    expect(await at.scan({ source: `${at.place('in')}/` })).toMatchObject(readAgain);
    const other = { name: 'other', fingerprint: '11111111' };
    expect(await at.scan({ profile: other })).toMatchObject({ ...readAgain, delivered: 0 });
    const forced = { ...plain, fingerprint: '22222222', base: fingerprint };
    expect(await at.scan({ profile: forced })).toMatchObject({ ...readAgain, delivered: 0 });
    expect(await at.scan()).toMatchObject(untouched);
  });
});

describe('a delivery that does not stand as it stood is delivered anew', () => {
  test.each<[string, (at: Awaited<ReturnType<typeof known>>) => Promise<unknown>]>([
    ['deleted', (at) => rm(at.tree)],
    ['its whole folder deleted', (at) => rm(dirname(at.tree), { recursive: true })],
    ['altered, of the same size', (at) => writeFile(at.tree, 'CLEAN')],
    [
      'altered, with the time of the old one',
      async (at) => {
        const { atime, mtime } = await stat(at.tree);
        await writeFile(at.tree, 'CLEAN');
        await utimes(at.tree, atime, mtime);
      },
    ],
    [
      'replaced by a link to itself elsewhere',
      async (at) => {
        await rename(at.tree, at.path('elsewhere'));
        await symlink(at.path('elsewhere'), at.tree);
      },
    ],
    [
      'replaced by the original',
      async (at) => {
        await rm(at.tree);
        await link(at.path('in/docs/a'), at.tree);
      },
    ],
    ['known by a second name', (at) => link(at.tree, at.path('second'))],
  ])('%s', async (_, change) => {
    const at = await known();
    await at.settle();
    await change(at);
    const { copied } = await at.scan();
    expect(copied).toEqual(['tree/docs/a']);
    expect(await readFile(at.tree, 'utf8')).toBe('clean');
    expect(await stat(at.tree)).toMatchObject({ nlink: 1 });
    // What was just written was not yet read where it lies.
    expect((await at.scan()).copied).toEqual(['tree/docs/a']);
    expect(await at.scan()).toMatchObject(untouched);
  });

  test('a second name that was given away again: the bytes may have been changed by it', async () => {
    const at = await known();
    await at.settle();
    await link(at.tree, at.path('second'));
    await rm(at.path('second'));
    expect(await at.scan()).toMatchObject(deliveredAgain);
  });

  test('its folder replaced by a link to itself elsewhere: no link is followed', async () => {
    const at = await known();
    await at.settle();
    await rename(dirname(at.tree), at.path('elsewhere'));
    await symlink(at.path('elsewhere'), dirname(at.tree));
    expect(await at.scan()).toMatchObject({ copied: ['tree/docs/a'], delivered: 0 });
  });

  test('its receipt gone: missing, as ever', async () => {
    const at = await known();
    await at.settle();
    await rm(at.path('out', receiptKey({ sha256: sha256Of('hostile'), fingerprint })));
    expect(await at.scan()).toMatchObject({ read: [], delivered: 0, missing: 1 });
  });

  test('its receipt altered: held back, with what to do, and taken away', async () => {
    const at = await known();
    await at.settle();
    await writeFile(at.path('out', receiptKey({ sha256: sha256Of('hostile'), fingerprint })), '{}');
    expect(await at.scan()).toMatchObject({
      delivered: 0,
      missing: 0,
      lines: [
        { outcome: 'quarantined', reason: expect.stringMatching(/move its folder away, and scan again/) },
      ],
    });
    await expect(stat(at.tree)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('its record names another result now', async () => {
    const at = await known();
    await at.settle();
    const forced = { ...plain, fingerprint: '22222222', base: fingerprint };
    await at.attempt('hostile', 'cleaner', 'cleaner', 'a1-abc', forced);
    expect(await at.scan()).toMatchObject({ read: [], copied: ['tree/docs/a'], delivered: 1 });
    expect(await readFile(at.tree, 'utf8')).toBe('cleaner');
  });

  test('its record names another result, in a store that tells versions badly', async () => {
    const at = await known();
    const { openDestination } = at.deps;
    at.deps.openDestination = (url) =>
      Object.assign(openDestination(url), { standing: async (keys: unknown[]) => keys.map(() => 'v') });
    await at.scan();
    expect(await at.scan()).toMatchObject(untouched);
    const forced = { ...plain, fingerprint: '22222222', base: fingerprint };
    await at.attempt('hostile', 'cleaner', 'cleaner', 'a1-abc', forced);
    expect(await at.scan()).toMatchObject({ read: [], copied: ['tree/docs/a'], delivered: 1 });
  });

  test('it was changed a moment before it was verified: nothing is noted yet', async () => {
    const at = await known();
    at.ahead.ms = 0;
    for (let again = 0; again < 3; again++) {
      expect((await at.scan()).copied).toEqual(['tree/docs/a']);
    }
  });

  test('the content behind a delivery that has to be made again is verified as ever', async () => {
    const at = await known();
    await at.settle();
    await writeFile(
      at.path('out', slotKey({ sha256: sha256Of('hostile'), fingerprint }, 'a1-abc', 'rebuilt')),
      'bad!!',
    );
    await rm(at.tree);
    expect(await at.scan()).toMatchObject({ delivered: 0, missing: 1 });
    await expect(stat(at.tree)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

test('a workflow that does not say its source has nothing noted', async () => {
  const at = await known();
  await at.scan();
  const file = {
    name: { path: 'docs/a' },
    size: 7,
    version: 'v',
    sha256: sha256Of('hostile'),
    outcome: 'delivered' as const,
    from: at.destination,
    memory: { modifiedAt: 1 },
  };
  const of = { scanId: 'old', firstRunId: 'run', destination: at.destination, profile: plain, watch: false };
  let noted = 0;
  const remember = async () => {
    noted += 1;
  };
  const deps = { ...at.deps, memory: { ...at.deps.memory, remember } };
  const settle = (part: number, source?: string) =>
    settleFiles(deps, { ...of, part, files: [file], source }, () => {});
  await settle(1);
  expect(noted).toBe(0);
  await settle(2, at.place('in'));
  expect(noted).toBe(1);
});
