import { spawn } from 'node:child_process';
import {
  chmod,
  link,
  mkdir,
  mkdtemp,
  readdir,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ListedEntry, ListedFile } from '../../../../drivers/ports.ts';
import { FsSource } from '../../../../drivers/source/fs.ts';
import { listAll, shown } from '../../../contract/collect.ts';

const signer = { sign: () => 'http://nobody.invalid/' };
let base: string;
let folder: string;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'pristine-source-'));
  folder = join(base, 'in');
  await mkdir(folder);
  await writeFile(join(base, 'outside'), 'a secret outside');
});
afterEach(() => rm(base, { recursive: true, force: true }));

function source(): FsSource {
  return new FsSource({ url: 'file:///x', anchor: { base, below: ['in'] } }, signer);
}

function reasons(entries: readonly ListedEntry[]): Record<string, string> {
  return Object.fromEntries(
    entries.map((entry) => [
      Buffer.from(entry.name).toString('latin1'),
      entry.kind === 'file' ? 'file' : entry.reason,
    ]),
  );
}

async function only(entries: Promise<ListedEntry[]>): Promise<ListedFile> {
  const [entry, ...others] = await entries;
  if (entry?.kind !== 'file' || others.length > 0) throw new Error('not one file');
  return entry;
}

function run(command: string, ...args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'ignore' });
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${command}: ${code}`))));
  });
}

test('files of one name in a folder and in the one above it are told apart, whatever comes between', async () => {
  const names = ['a', 'b', 'm/x', 'm/n/x', 'm/y', 'x', 'y'];
  await mkdir(join(folder, 'm/n'), { recursive: true });
  for (const [at, name] of names.entries()) await writeFile(join(folder, name), 'x'.repeat(at + 1));
  for (const limit of [1, 3, 10]) {
    const entries = await listAll(source(), limit);
    const sizes = entries.map((entry) => [
      Buffer.from(entry.name).toString(),
      entry.kind === 'file' ? entry.size : entry.reason,
    ]);
    expect(Object.fromEntries(sizes)).toEqual(Object.fromEntries(names.map((name, at) => [name, at + 1])));
  }
});

describe('what is no plain file', () => {
  test('is told as unreadable with the reason, and nothing hangs or leads outside', async () => {
    await writeFile(join(folder, 'file'), 'x');
    await link(join(folder, 'file'), join(folder, 'hard link'));
    await symlink('file', join(folder, 'to a file'));
    await symlink('../outside', join(folder, 'to outside'));
    await symlink('..', join(folder, 'to a folder'));
    await symlink('itself', join(folder, 'itself'));
    await symlink('nowhere', join(folder, 'dangling'));
    await mkdir(join(folder, 'sub'));
    await symlink('..', join(folder, 'sub', 'loop'));
    await run('mkfifo', join(folder, 'pipe'));
    await run('mknod', join(folder, 'device'), 'c', '1', '3');
    const socket = createServer();
    await new Promise<void>((resolve) => socket.listen(join(folder, 'socket'), resolve));
    try {
      const linked = 'a symbolic link, which is not followed';
      expect(reasons(await listAll(source(), 3))).toEqual({
        dangling: linked,
        device: 'a device, not a plain file',
        file: 'file',
        'hard link': 'file',
        itself: linked,
        pipe: 'a named pipe, not a plain file',
        socket: 'a socket, not a plain file',
        'sub/loop': linked,
        'to a file': linked,
        'to a folder': linked,
        'to outside': linked,
      });
    } finally {
      socket.close();
    }
  });

  test.each([
    ['a link to outside', () => symlink('../outside', join(folder, 'file'))],
    ['a named pipe', () => run('mkfifo', join(folder, 'file'))],
    ['a folder', () => mkdir(join(folder, 'file'))],
  ])('%s that took the place of a listed file does not open', async (_, swap) => {
    await writeFile(join(folder, 'file'), 'a secret outside');
    const { name, version } = await only(listAll(source(), 10));
    await rm(join(folder, 'file'));
    await swap();
    await expect(source().open(name, version)).rejects.toMatchObject({ code: 'source.changed' });
  });

  test('a folder on the way that became a link is not followed', async () => {
    await mkdir(join(folder, 'sub'));
    await writeFile(join(folder, 'sub', 'file'), 'x');
    const { name, version } = await only(listAll(source(), 10));
    await rename(join(folder, 'sub'), join(base, 'moved'));
    await symlink('../moved', join(folder, 'sub'));
    await expect(source().open(name, version)).rejects.toMatchObject({ code: 'source.changed' });
    expect(reasons(await listAll(source(), 10))).toEqual({ sub: 'a symbolic link, which is not followed' });
  });

  test.each(['../outside', 'sub/../../outside', '/outside', '', '.', 'a//b', 'a\0b'])(
    'the name %j opens nothing',
    async (name) => {
      await mkdir(join(folder, 'sub'));
      await expect(source().open(Buffer.from(name), 'x')).rejects.toMatchObject({ code: 'source.gone' });
    },
  );

  test('a source that is itself a link is none', async () => {
    await symlink('in', join(base, 'linked'));
    const linked = new FsSource({ url: 'file:///x', anchor: { base, below: ['linked'] } }, signer);
    await expect(linked.check()).rejects.toMatchObject({ code: 'source.missing' });
    await expect(linked.list(null, 10)).rejects.toMatchObject({ code: 'source.missing' });
  });

  test('a volume that is not there is a missing source, not a file that is gone', async () => {
    await writeFile(join(folder, 'file'), 'x');
    const { name, version } = await only(listAll(source(), 10));
    await rename(base, `${base}-away`);
    try {
      await expect(source().open(name, version)).rejects.toMatchObject({ code: 'source.missing' });
    } finally {
      await rename(`${base}-away`, base);
    }
  });
});

describe('names', () => {
  test('of any bytes are listed and open', async () => {
    const names = [
      Buffer.from([0xff, 0xfe, 0x2e]),
      Buffer.from([0x61, 0x80]),
      Buffer.from([0x61, 0x81]),
      Buffer.alloc(255, 0xe9),
      Buffer.from([1, 2, 0x7f]),
    ];
    for (const name of names) await writeFile(Buffer.concat([Buffer.from(`${folder}/`), name]), name);
    const entries = await listAll(source(), 2);
    expect(shown(entries)).toEqual(names.map((name) => name.toString('latin1')).sort());
    for (const entry of entries) {
      const { name, version } = entry as ListedFile;
      const { body } = await source().open(name, version);
      expect(Buffer.concat(await body.toArray())).toEqual(Buffer.from(name));
    }
  });

  test('sort by component, so that a folder stands where its name does', async () => {
    for (const each of ['a', 'b']) await mkdir(join(folder, each));
    for (const name of ['a/z', 'a-c', 'a.d', 'b/y', 'a0']) await writeFile(join(folder, name), '');
    expect(shown(await listAll(source(), 1))).toEqual(['a/z', 'a-c', 'a.d', 'a0', 'b/y']);
  });
});

describe('permissions', () => {
  // Root may read everything; the process takes off its privileges for the while.
  async function asNobody<T>(act: () => Promise<T>): Promise<T> {
    await chmod(base, 0o755);
    await chmod(folder, 0o755);
    process.seteuid?.(65534);
    try {
      return await act();
    } finally {
      process.seteuid?.(0);
    }
  }

  test('what cannot be read or entered is told, and never silently empty', async () => {
    await writeFile(join(folder, 'secret'), 'x', { mode: 0o600 });
    for (const [name, mode] of [
      ['closed', 0o700],
      ['listable', 0o744],
    ] as const) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'file'), 'x');
      await chmod(join(folder, name), mode);
    }
    const entries = await asNobody(() => listAll(source(), 10));
    expect(reasons(entries)).toEqual({
      closed: 'no permission to list this folder',
      'listable/file': 'no permission to enter its folder',
      secret: 'no permission to read it',
    });
  });

  test('a source that cannot be listed is forbidden, not empty', async () => {
    await asNobody(async () => {
      process.seteuid?.(0);
      await chmod(folder, 0o700);
      process.seteuid?.(65534);
      await expect(source().check()).rejects.toMatchObject({ code: 'source.forbidden', retryable: false });
      await expect(source().list(null, 10)).rejects.toMatchObject({ code: 'source.forbidden' });
    });
  });

  test('a file that became secret is forbidden', async () => {
    await writeFile(join(folder, 'file'), 'x', { mode: 0o644 });
    const { name, version } = await only(listAll(source(), 10));
    await chmod(join(folder, 'file'), 0o600);
    await expect(asNobody(() => source().open(name, version))).rejects.toMatchObject({
      code: 'source.forbidden',
    });
  });

  test('a folder that closes while it is listed is told, also to a new process', async () => {
    await mkdir(join(folder, 'sub'), { mode: 0o755 });
    for (const name of ['a', 'b', 'c']) await writeFile(join(folder, 'sub', name), 'x');
    await writeFile(join(folder, 'z'), 'x');
    const warm = source();
    const { next } = await warm.list(null, 1);
    await chmod(join(folder, 'sub'), 0o700);
    for (const each of [warm, source()]) {
      const rest = await asNobody(() => listAll(each, 1, next));
      expect(reasons(rest)).toEqual({ sub: expect.stringContaining('no permission to list'), z: 'file' });
      expect(rest).toHaveLength(2);
    }
  });
});

describe('versions', () => {
  test('tell a rewrite in place that sets the times back', async () => {
    const path = join(folder, 'file');
    await writeFile(path, 'before');
    await utimes(path, 1_000_000_000, 1_000_000_000);
    const before = await only(listAll(source(), 10));
    await writeFile(path, 'behind');
    await utimes(path, 1_000_000_000, 1_000_000_000);
    const after = await only(listAll(source(), 10));
    expect(after).toMatchObject({ size: before.size, modifiedAt: before.modifiedAt });
    expect(after.version).not.toBe(before.version);
  });

  test('a file that is written to while it is read fails before its end', async () => {
    const path = join(folder, 'file');
    await writeFile(path, Buffer.alloc(1_000_000, 'a'));
    const { name, version } = await only(listAll(source(), 10));
    const { body } = await source().open(name, version);
    const reading = (async () => {
      let bytes = 0;
      for await (const chunk of body) {
        if (bytes === 0) await writeFile(path, Buffer.alloc(1_000_000, 'b'));
        bytes += chunk.length;
      }
      return bytes;
    })();
    await expect(reading).rejects.toMatchObject({ name: 'DriverError', code: 'source.changed' });
  });

  test('a file that is cut short while it is read fails', async () => {
    const path = join(folder, 'file');
    await writeFile(path, Buffer.alloc(1_000_000, 'a'));
    const { name, version } = await only(listAll(source(), 10));
    const { body } = await source().open(name, version);
    await writeFile(path, '');
    await expect(text(body)).rejects.toMatchObject({ code: 'source.changed' });
  });
});

describe('a tree that moves under the walk', () => {
  test('a folder that was moved away does not lead the walk out of the source', async () => {
    await mkdir(join(folder, 'a', 'deep'), { recursive: true });
    for (const name of ['a/deep/1', 'a/deep/2', 'a/x', 'b']) await writeFile(join(folder, name), '');
    await mkdir(join(base, 'elsewhere'));
    await writeFile(join(base, 'elsewhere', 'x'), 'outside');
    const warm = source();
    const { next } = await warm.list(null, 1);
    await rename(join(folder, 'a', 'deep'), join(base, 'elsewhere', 'deep'));
    for (const each of [warm, source()]) expect(shown(await listAll(each, 10, next))).toEqual(['a/x', 'b']);
  });

  test('folders swapped for links all the time are never followed', async () => {
    await mkdir(join(base, 'secret'));
    await writeFile(join(base, 'secret', 'found'), 'x');
    await mkdir(join(folder, 'sub'));
    await writeFile(join(folder, 'sub', 'file'), 'x');
    await symlink('../secret', join(base, 'link'));
    let stop = false;
    const swapping = (async () => {
      while (!stop) {
        await rename(join(folder, 'sub'), join(base, 'real'));
        await rename(join(base, 'link'), join(folder, 'sub'));
        await rename(join(folder, 'sub'), join(base, 'link'));
        await rename(join(base, 'real'), join(folder, 'sub'));
      }
    })();
    try {
      for (let round = 0; round < 300; round += 1) {
        const names = shown(await listAll(source(), 10));
        expect([[], ['sub'], ['sub/file']]).toContainEqual(names);
      }
    } finally {
      stop = true;
      await swapping;
    }
  });
});

describe('size', () => {
  test('a folder of 20,000 files is told in pages, each once, in order', async () => {
    const names = Array.from({ length: 20_000 }, (_, at) => `f${at}`);
    for (let at = 0; at < names.length; at += 500) {
      await Promise.all(names.slice(at, at + 500).map((name) => writeFile(join(folder, name), '')));
    }
    expect(shown(await listAll(source(), 499))).toEqual(names.sort());
  }, 60_000);

  test('a thousand folders deep is walked with one descriptor, resumed, and opened', async () => {
    await run('python3', '-c', DEEP, folder, '1000');
    const openBefore = await descriptors();
    const entries = await listAll(source(), 250);
    expect(entries).toHaveLength(1001);
    expect(await descriptors()).toBe(openBefore);
    const middle = entries[600] as ListedFile;
    expect(shown(await listAll(source(), 5000, middle.name))).toEqual(shown(entries.slice(601)));
    const deepest = entries.reduce((a, b) => (a.name.length > b.name.length ? a : b)) as ListedFile;
    expect(await text((await source().open(deepest.name, deepest.version)).body)).toBe('x');
    await run('rm', '-rf', folder);
  }, 60_000);

  test('a folder deeper than any path may be is told as one unreadable entry', async () => {
    await run('python3', '-c', DEEP, folder, '2500');
    const entries = await listAll(source(), 5000);
    const last = entries.filter(({ kind }) => kind === 'unreadable');
    expect(last).toHaveLength(1);
    expect(last[0]).toMatchObject({ reason: expect.stringContaining('longer than') });
    await run('rm', '-rf', folder);
  }, 60_000);

  test('a page of long names ends early', async () => {
    for (let at = 0; at < 700; at += 1) await writeFile(join(folder, `${at}`.padEnd(250, '-')), '');
    const page = await source().list(null, 1000);
    expect(page.entries.length).toBeLessThan(700);
    expect(page.next).toEqual(page.entries.at(-1)?.name);
    expect(await listAll(source(), 1000)).toHaveLength(700);
  });
});

/** Makes folders in folders, each with a file that sorts after the folder. */
const DEEP = `
import os, sys
os.chdir(sys.argv[1])
for _ in range(int(sys.argv[2]) + 1):
    with open('f', 'w') as file: file.write('x')
    os.mkdir('d')
    os.chdir('d')
os.rmdir('../d')
`;

async function descriptors(): Promise<number> {
  return (await readdir('/proc/self/fd')).length;
}
