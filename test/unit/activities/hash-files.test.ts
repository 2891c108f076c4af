import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { hashFiles } from '../../../activities/hash-files.ts';
import type { ListedFile } from '../../../drivers/ports.ts';
import { sha256Of } from './world.ts';

test('files keep the order in which they were listed, however long each takes to read', async () => {
  const names = ['slow', 'a', 'b', 'c', 'd'];
  const files: ListedFile[] = names.map((name) => ({
    kind: 'file',
    name: Buffer.from(name),
    size: name.length,
    version: 'v',
    modifiedAt: 0,
    changedAt: 0,
  }));
  const source = {
    open: async (name: Uint8Array) => {
      const text = Buffer.from(name).toString();
      if (text === 'slow') await sleep(20);
      return { size: text.length, body: Readable.from([text]) };
    },
  };
  const { read } = await hashFiles(source, files, () => {}, new AbortController().signal);
  expect(read.map(({ sha256 }) => sha256)).toEqual(names.map(sha256Of));
});
