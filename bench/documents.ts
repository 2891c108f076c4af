import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { png } from '../cli/demo/images.ts';

export type BenchDocument = { path: string; bytes: Buffer; sha256: string };

/** Files that are open at a time. */
const AT_ONCE = 100;

/**
 * `count` small pictures in `folder`, every one with a content of its own. `run` is part of each, so that no
 * earlier run has rebuilt it.
 */
export async function benchDocuments(folder: string, run: string, count: number): Promise<BenchDocument[]> {
  await mkdir(folder, { recursive: true });
  const documents: BenchDocument[] = [];
  while (documents.length < count) {
    const some = Math.min(AT_ONCE, count - documents.length);
    const numbers = Array.from({ length: some }, (_, i) => documents.length + i);
    documents.push(...(await Promise.all(numbers.map((i) => document(folder, run, i)))));
  }
  return documents;
}

async function document(folder: string, run: string, i: number): Promise<BenchDocument> {
  const bytes = png(
    { width: 32, height: 32, colour: (x, y) => [x * 8, y * 8, i % 256] },
    { Comment: `${run} ${i}`, Author: 'Alex Example' },
  );
  const path = join(folder, `picture-${String(i).padStart(5, '0')}.png`);
  await writeFile(path, bytes);
  return { path, bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}
