import { readdir } from 'node:fs/promises';

const SLASH = Buffer.from('/');

/**
 * Every entry below `folder` that is not itself a folder, relative, in no particular order. Written without
 * the source driver, so that the demo's count does not share its mistakes.
 */
export async function walkSource(folder: string): Promise<Buffer[]> {
  const found: Buffer[] = [];
  const pending: Buffer[] = [Buffer.alloc(0)];
  for (let below = pending.pop(); below !== undefined; below = pending.pop()) {
    const path = Buffer.concat([Buffer.from(folder), SLASH, below]);
    const entries = await readdir(path, { withFileTypes: true, encoding: 'buffer' });
    for (const entry of entries) {
      const name = below.length === 0 ? entry.name : Buffer.concat([below, SLASH, entry.name]);
      (entry.isDirectory() ? pending : found).push(name);
    }
  }
  return found;
}
