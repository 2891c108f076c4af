import { expect, test } from '@jest/globals';
import { readManifest } from '../../../cli/manifest.ts';
import { memoryDestination, sha256 } from './memory-destination.ts';

const line = (path: string) => `${JSON.stringify({ path, size: 1, outcome: 'gone', attempts: 0 })}\n`;

async function read(manifest: string) {
  const lines = readManifest(
    memoryDestination(new Map([['scans/s/manifest.jsonl', Buffer.from(manifest)]])),
    's',
  );
  const paths: string[] = [];
  for (;;) {
    const next = await lines.next();
    if (next.done) return { paths, hash: next.value };
    paths.push(next.value.name.path);
  }
}

test('lines end at newlines alone, whatever separators a name holds and wherever a chunk ends', async () => {
  const manifest = line('a\u2028b') + line('c\u0085d\re') + line('履歴書');
  expect(await read(manifest)).toEqual({
    paths: ['a\u2028b', 'c\u0085d\re', '履歴書'],
    hash: sha256(manifest),
  });
});

test('a manifest that was cut off is not taken for a shorter one', async () => {
  await expect(read(line('a') + line('b').slice(0, -1))).rejects.toThrow('ends in the middle of line 2');
});

test('a line with an unknown outcome is an error with its number', async () => {
  await expect(read(line('a') + line('b').replace('gone', 'fine'))).rejects.toThrow(
    "Line 2 of the manifest can't",
  );
});
