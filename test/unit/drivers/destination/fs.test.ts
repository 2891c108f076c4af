import { execFileSync, spawn } from 'node:child_process';
import {
  chmod,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { FsDestination } from '../../../../drivers/destination/fs.ts';
import { fsDestinationError } from '../../../../drivers/destination/fs-error.ts';
import { keysOf, readText } from '../../../contract/collect.ts';

const signer = { sign: () => 'http://nobody.invalid/' };
const unsupported = { name: 'DriverError', code: 'destination.name-unsupported', retryable: false };
let base: string;
let folder: string;
let temps: string;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'pristine-destination-'));
  folder = join(base, 'out');
  temps = join(base, '.pristine-tmp');
  await mkdir(folder);
});
afterEach(() => rm(base, { recursive: true, force: true }));

function destination(): FsDestination {
  return new FsDestination({ url: 'file:///x', anchor: { base, below: ['out'] } }, signer);
}

const empty = { size: 0, sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' };

describe('a link in the destination', () => {
  beforeEach(async () => {
    await mkdir(join(base, 'outside'));
    await writeFile(join(base, 'outside', 'file'), 'untouched');
    await mkdir(join(folder, 'tree'));
    await writeFile(join(folder, 'content'), '');
  });
  afterEach(async () => {
    expect(await readdir(join(base, 'outside'))).toEqual(['file']);
    expect(await readFile(join(base, 'outside', 'file'), 'utf8')).toBe('untouched');
  });

  test.each(['tree/link/file', 'tree/link/new', 'tree/link/sub/new'])(
    'in place of a folder does not lead %s out of it',
    async (key) => {
      await symlink('../../outside', join(folder, 'tree', 'link'));
      await expect(destination().write(key, 'x')).rejects.toMatchObject(unsupported);
      await expect(destination().create(key, 'x')).rejects.toMatchObject(unsupported);
      await expect(destination().copy('content', key, empty)).rejects.toMatchObject(unsupported);
      await expect(destination().read(key)).rejects.toMatchObject(unsupported);
      await expect(destination().copy(key, 'tree/x', empty)).rejects.toMatchObject(unsupported);
      await destination().remove(key);
      expect(await keysOf(destination(), 'tree/')).toEqual([]);
      await expect(keysOf(destination(), 'tree/link/')).rejects.toMatchObject(unsupported);
    },
  );

  test('in place of a file is replaced or refused, never written through or read', async () => {
    const link = join(folder, 'tree', 'file');
    const plant = () => symlink('../../outside/file', link);
    await plant();
    expect(await keysOf(destination(), 'tree/')).toEqual([]);
    await expect(destination().read('tree/file')).rejects.toMatchObject(unsupported);
    await expect(destination().create('tree/file', 'x')).rejects.toMatchObject(unsupported);
    await expect(destination().copy('tree/file', 'tree/x', empty)).rejects.toMatchObject(unsupported);

    await destination().write('tree/file', 'new');
    expect((await lstat(link)).isFile()).toBe(true);
    await rm(link);
    await plant();
    await destination().copy('content', 'tree/file', empty);
    expect((await lstat(link)).isFile()).toBe(true);
    await rm(link);
    await plant();
    await destination().remove('tree/file');
    await expect(lstat(link)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('in place of the destination itself or its temporary folder is refused', async () => {
    await rm(temps, { recursive: true, force: true });
    await symlink('outside', temps);
    await expect(destination().write('tree/x', 'x')).rejects.toMatchObject({ name: 'DriverError' });
    await rm(temps);
    await rename(folder, `${folder}-away`);
    await symlink('outside', folder);
    await expect(destination().write('x', 'x')).rejects.toMatchObject(unsupported);
    await expect(destination().check()).rejects.toMatchObject({ name: 'DriverError' });
  });
});

describe('files and folders of one name', () => {
  test.each([
    ['write', (key: string) => destination().write(key, 'x')],
    ['create', (key: string) => destination().create(key, 'x')],
    ['copy', (key: string) => destination().copy('content/empty', key, empty)],
  ])('do not go together for %s', async (_, act) => {
    await destination().write('content/empty', '');
    await destination().write('tree/file', 'file');
    await destination().write('tree/folder/file', 'file');
    await expect(act('tree/file/below')).rejects.toMatchObject(unsupported);
    await expect(act('tree/folder')).rejects.toMatchObject(unsupported);
    expect(await keysOf(destination(), 'tree/')).toEqual(['tree/file', 'tree/folder/file']);
    expect(await readdir(temps)).toEqual([]);
  });
});

describe('names', () => {
  test('of any bytes but "/" and NUL are held', async () => {
    const names = [[0xff], [0xfe, 0x0a], [1], Array(255).fill(0xe9)];
    for (const bytes of names)
      await destination().write(Buffer.from([...Buffer.from('tree/'), ...bytes]), 'x');
    const wanted = names.map((bytes) => `tree/${Buffer.from(bytes).toString('latin1')}`);
    expect(await keysOf(destination(), 'tree/')).toEqual(wanted.sort());
  });

  test.each(['a\0b', 'x'.repeat(256), '../outside', '.pristine-tmp/x'])('%j is refused', async (key) => {
    await expect(destination().write(key, 'x')).rejects.toMatchObject(unsupported);
    expect(await destination().read(key)).toBeNull();
  });
});

describe('removing', () => {
  test('takes the folders with it that are empty then, but not the topmost', async () => {
    await destination().write('tree/a/b/c/file', 'x');
    await destination().write('tree/a/other', 'x');
    await destination().remove('tree/a/b/c/file');
    expect(await readdir(join(folder, 'tree', 'a'))).toEqual(['other']);
    await destination().remove('tree/a/other');
    expect(await readdir(join(folder, 'tree'))).toEqual([]);
  });

  test('finishes what another try began', async () => {
    await mkdir(join(folder, 'tree', 'a', 'b'), { recursive: true });
    await destination().remove('tree/a/b/file');
    expect(await readdir(join(folder, 'tree'))).toEqual([]);
  });

  test('takes no folder for a file', async () => {
    await destination().write('tree/a/file', 'x');
    await destination().remove('tree/a');
    expect(await readText(destination(), 'tree/a/file')).toBe('x');
  });

  test('beside writers into the same folder fails none of them', async () => {
    const coming = async (who: number) => {
      for (let round = 0; round < 100; round += 1) {
        const key = `tree/a/b/${who}-${round}`;
        await destination().write(key, 'x');
        await destination().remove(key);
        expect(await destination().create(key, 'y')).toBe(true);
        await destination().remove(key);
      }
    };
    await Promise.all([1, 2, 3, 4].map(coming));
    expect(await readdir(join(folder, 'tree'))).toEqual([]);
  });
});

describe('temporary files', () => {
  const writers: { kill(): Promise<void> }[] = [];
  afterEach(() => Promise.all(writers.splice(0).map((each) => each.kill())));

  /** A process that has a temporary file open, and then says so and waits. */
  function writer() {
    const script = `
      import { openFolder } from ${JSON.stringify(join(import.meta.dirname, '../../../../drivers/file-system/anchor.ts'))};
      import { TempFile } from ${JSON.stringify(join(import.meta.dirname, '../../../../drivers/file-system/temp-file.ts'))};
      const root = await openFolder({ base: process.argv[1], below: [] }, []);
      const temp = await TempFile.create(root);
      await root.close();
      await temp.append(Buffer.from('half'));
      console.log('ready');
      setInterval(() => temp.size, 1000);
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, base], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ready = new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
    const killed = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const made = {
      ready,
      kill() {
        child.kill('SIGKILL');
        return killed;
      },
    };
    writers.push(made);
    return made;
  }

  test('of a process that was killed go at the next check; one that is being written stays', async () => {
    const process = writer();
    await process.ready;
    await destination().check();
    expect(await readdir(temps)).toHaveLength(1);
    await process.kill();
    await destination().check();
    expect(await readdir(temps)).toEqual([]);
  });

  test('of another host go when they are old', async () => {
    await mkdir(temps);
    for (const name of ['0badb007-1-2-3-abc', '0badb007-1-2-3-def', 'anything']) {
      await writeFile(join(temps, name), 'half');
    }
    const yesterday = Date.now() / 1000 - 25 * 3600;
    await utimes(join(temps, '0badb007-1-2-3-abc'), yesterday, yesterday);
    await destination().check();
    expect((await readdir(temps)).sort()).toEqual(['0badb007-1-2-3-def', 'anything']);
  });
});

describe('a destination', () => {
  test('that does not exist yet is made, but not its volume', async () => {
    const below = new FsDestination({ url: 'file:///x', anchor: { base, below: ['new', 'deep'] } }, signer);
    await below.check();
    expect(await readdir(join(base, 'new', 'deep'))).toEqual(['scans']);
    await rename(base, `${base}-away`);
    try {
      const missing = { code: 'destination.missing', retryable: false };
      await expect(below.check()).rejects.toMatchObject(missing);
      await expect(below.read('tree/x')).rejects.toMatchObject(missing);
      await expect(below.write('tree/x', 'x')).rejects.toMatchObject(missing);
      await expect(below.remove('tree/x')).rejects.toMatchObject(missing);
      await expect(keysOf(below, 'tree/')).rejects.toMatchObject(missing);
      await expect(below.copy('tree/x', 'tree/y', empty)).rejects.toMatchObject(missing);
    } finally {
      await rename(`${base}-away`, base);
    }
  });

  test('that cannot be written is forbidden', async () => {
    await destination().check();
    for (const each of [base, temps]) await chmod(each, 0o755);
    process.seteuid?.(65534);
    try {
      const forbidden = { code: 'destination.forbidden', retryable: false };
      await expect(destination().check()).rejects.toMatchObject(forbidden);
      await expect(destination().write('tree/x', 'x')).rejects.toMatchObject(forbidden);
    } finally {
      process.seteuid?.(0);
    }
  });
});

test.each([
  ['ENOSPC', 'destination.full', true],
  ['EDQUOT', 'destination.full', true],
  ['EROFS', 'destination.forbidden', false],
  ['EXDEV', 'config.invalid', false],
  ['EILSEQ', 'destination.name-unsupported', false],
  ['EIO', 'destination.unavailable', true],
  ['ESTALE', 'destination.unavailable', true],
])('%s means %s', (code, meaning, retryable) => {
  const error = fsDestinationError(Object.assign(new Error('/a/secret/path'), { code }));
  expect(error).toMatchObject({ code: meaning, retryable });
  expect(error.message).not.toContain('secret');
});

describe('a delivery that stands already', () => {
  const inodeOf = async () => (await lstat(join(folder, 'tree/file'))).ino;
  beforeEach(async () => {
    await writeFile(join(folder, 'content'), '');
    await destination().copy('content', 'tree/file', empty);
  });

  test('is left as it is', async () => {
    const before = await inodeOf();
    await destination().copy('content', 'tree/file', empty);
    expect(await inodeOf()).toBe(before);
  });

  test('does not hide that its content is altered or gone', async () => {
    await writeFile(join(folder, 'content'), 'altered');
    await expect(destination().copy('content', 'tree/file', empty)).rejects.toMatchObject({
      code: 'content.mismatch',
    });
    await rm(join(folder, 'content'));
    await expect(destination().copy('content', 'tree/file', empty)).rejects.toMatchObject({
      code: 'content.missing',
    });
  });

  test('is written anew where it was altered', async () => {
    await writeFile(join(folder, 'tree/file'), 'altered');
    await destination().copy('content', 'tree/file', empty);
    expect(await readText(destination(), 'tree/file')).toBe('');
  });

  test('is written anew where it has another name, through which it could be altered', async () => {
    await link(join(folder, 'tree/file'), join(base, 'another-name'));
    await destination().copy('content', 'tree/file', empty);
    await writeFile(join(base, 'another-name'), 'altered');
    expect(await readText(destination(), 'tree/file')).toBe('');
  });
});

describe('what stands', () => {
  const later = () =>
    new FsDestination({ url: 'file:///x', anchor: { base, below: ['out'] } }, signer, {
      now: () => Date.now() + 60_000,
    });
  const key = (name: string) => Buffer.from(`tree/${name}`);
  beforeEach(async () => {
    await mkdir(join(folder, 'tree/real'), { recursive: true });
    await writeFile(join(folder, 'tree/real/file'), 'x');
  });

  test.each<[string, (path: string) => Promise<unknown> | unknown]>([
    ['a link to a file', (path) => symlink('real/file', path)],
    ['a link to nothing', (path) => symlink('nowhere', path)],
    ['a file with a second name', (path) => link(join(folder, 'tree/real/file'), path)],
    ['a folder', (path) => mkdir(path)],
    ['a pipe', (path) => execFileSync('mkfifo', [path])],
  ])('is not to be relied on where it is %s', async (_, make) => {
    await make(join(folder, 'tree/it'));
    expect(await later().standing([key('it')])).toEqual([null]);
  });

  test('is not reached through a link, nor through a file', async () => {
    await symlink('real', join(folder, 'tree/link'));
    const names = ['link/file', 'link/none', 'real/file/below', 'real/file'];
    expect(await later().standing(names.map(key))).toEqual([null, null, null, expect.any(String)]);
  });

  test('is not to be relied on within three seconds of its last change', async () => {
    expect(await destination().standing([key('real/file'), key('real/none')])).toEqual([null, 'absent']);
  });

  test('is not told by a destination that is not there', async () => {
    await rm(folder, { recursive: true });
    await expect(later().standing([key('a')])).rejects.toMatchObject({ code: 'destination.missing' });
  });
});
