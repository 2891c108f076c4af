import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { png } from '../cli/demo/images.ts';

export type BenchDocument = { path: string; bytes: Buffer; sha256: string };

/**
 * `count` small pictures in `folder`, every one with a content of its own. `run` is part of each, so that no
 * earlier run has rebuilt it.
 */
export async function benchDocuments(folder: string, run: string, count: number): Promise<BenchDocument[]> {
  await mkdir(folder, { recursive: true });
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const bytes = png(
        { width: 32, height: 32, colour: (x, y) => [x * 8, y * 8, i % 256] },
        { Comment: `${run} ${i}`, Author: 'Alex Example' },
      );
      const path = join(folder, `picture-${String(i).padStart(5, '0')}.png`);
      await writeFile(path, bytes);
      return { path, bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
    }),
  );
}
