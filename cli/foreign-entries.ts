import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Keys under `tree/` of a destination on a file system that are neither plain files nor folders. Pristine makes
 * none; whoever reads the clean side would follow a link to where no engine has been. None in other destinations.
 */
export async function* foreignEntries(url: string): AsyncGenerator<Buffer> {
  if (!url.startsWith('file:')) return;
  const root = Buffer.from(`${join(fileURLToPath(url))}/`);
  const pending = [Buffer.from('tree')];
  for (let key = pending.pop(); key !== undefined; key = pending.pop()) {
    for (const entry of await entriesOf(Buffer.concat([root, key]))) {
      const below = Buffer.concat([key, Buffer.from('/'), entry.name]);
      if (entry.isDirectory()) pending.push(below);
      else if (!entry.isFile()) yield below;
    }
  }
}

async function entriesOf(path: Buffer) {
  try {
    return await readdir(path, { withFileTypes: true, encoding: 'buffer' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
