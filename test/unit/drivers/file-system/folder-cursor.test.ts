import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { FolderCursor } from '../../../../drivers/file-system/folder-cursor.ts';

let base: string;
let cursor: FolderCursor;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'pristine-cursor-'));
  await mkdir(join(base, 'in', 'a', 'b'), { recursive: true });
  await mkdir(join(base, 'elsewhere'));
  for (const folder of ['in', 'in/a', 'in/a/b', 'elsewhere']) {
    await writeFile(join(base, folder, 'here'), folder);
  }
  cursor = await FolderCursor.open({ base, below: ['in'] }, ['a', 'b']);
});
afterEach(async () => {
  await cursor.close();
  await rm(base, { recursive: true, force: true });
});

const here = () => readFile(cursor.entry('here'), 'utf8');

test('goes down and up', async () => {
  expect([await here(), cursor.depth]).toEqual(['in/a/b', 2]);
  await cursor.leave();
  await cursor.leave();
  expect([await here(), cursor.depth]).toEqual(['in', 0]);
  await cursor.enter('a');
  expect([await here(), cursor.depth]).toEqual(['in/a', 1]);
});

test('never goes above the folder that it began in', async () => {
  await cursor.leave();
  await cursor.leave();
  await expect(cursor.leave()).rejects.toThrow('nothing above');
  expect(await here()).toBe('in');
});

test('goes back to where it came from although the folder was moved away under it', async () => {
  await rename(join(base, 'in', 'a', 'b'), join(base, 'elsewhere', 'b'));
  await cursor.leave();
  expect(await here()).toBe('in/a');
});

test('fails rather than go elsewhere when the folder above was moved as well and a link stands there', async () => {
  await rename(join(base, 'in', 'a', 'b'), join(base, 'elsewhere', 'b'));
  await rename(join(base, 'in', 'a'), join(base, 'moved'));
  await symlink('../elsewhere', join(base, 'in', 'a'));
  await expect(cursor.leave()).rejects.toMatchObject({ code: 'ENOTDIR' });
});

test('goes into no link', async () => {
  await symlink('../../elsewhere', join(base, 'in', 'a', 'b', 'link'));
  await expect(cursor.enter('link')).rejects.toMatchObject({ code: 'ENOTDIR' });
  expect(await here()).toBe('in/a/b');
});
