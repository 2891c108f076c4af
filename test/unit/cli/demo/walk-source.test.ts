import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { demoDocuments, demoSymlink } from '../../../../cli/demo/documents.ts';
import { placeDocuments } from '../../../../cli/demo/place-documents.ts';
import { walkSource } from '../../../../cli/demo/walk-source.ts';

const folder = mkdtempSync(join(tmpdir(), 'walk-'));
afterAll(() => rmSync(folder, { recursive: true }));

const latin = (names: Iterable<Uint8Array>) =>
  Array.from(names, (name) => Buffer.from(name).toString('latin1')).sort();

test('walks to every file, link and other thing by its own bytes, into folders but not through links', async () => {
  const root = join(folder, 'mixed');
  mkdirSync(join(root, 'a/empty'), { recursive: true });
  writeFileSync(join(root, 'a/file'), '');
  writeFileSync(Buffer.concat([Buffer.from(`${root}/a/`), Buffer.from([0xe9])]), '');
  symlinkSync('a', join(root, 'link to a folder'));
  expect(latin(await walkSource(root))).toEqual(['a/file', 'a/\xe9', 'link to a folder']);
});

test('the demo documents lie where they are said to, and a second time changes nothing', async () => {
  const root = join(folder, 'demo');
  const count = await placeDocuments(root);
  const names = [...demoDocuments().map(({ name }) => name), Buffer.from(demoSymlink.name)];
  expect(latin(await walkSource(root))).toEqual(latin(names));
  expect(count).toBe(names.length);
  const writtenAt = statSync(join(root, 'Welcome.txt'), { bigint: true }).mtimeNs;
  writeFileSync(join(root, 'mine.txt'), 'put here by somebody');
  await placeDocuments(root);
  expect(statSync(join(root, 'Welcome.txt'), { bigint: true }).mtimeNs).toBe(writtenAt);
  expect(await walkSource(root)).toHaveLength(count + 1);
});
