/** What an image is made of, as a hash: its tag, so that a tag never moves. */
import { createHash } from 'node:crypto';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/** The first 12 hex digits of the sha256 over all parts, in order, each with its length. */
export function inputHash(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    const bytes = Buffer.from(part);
    hash.update(`${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex').slice(0, 12);
}

/** Relative paths of all files below `root/<path>` (or that file itself), sorted; compiled Python left out. */
export async function filesBelow(root: string, path: string): Promise<string[]> {
  const info = await lstat(join(root, path));
  if (!info.isDirectory()) return [path];
  const names = await readdir(join(root, path));
  const below = names
    .filter((name) => name !== '__pycache__')
    .sort()
    .map((name) => filesBelow(root, join(path, name)));
  return (await Promise.all(below)).flat();
}

/** Hash over the names and contents of all files below the given paths. */
export async function hashFiles(root: string, paths: readonly string[]): Promise<string> {
  const parts: (string | Uint8Array)[] = [];
  for (const path of paths)
    for (const file of await filesBelow(root, path)) {
      const info = await lstat(join(root, file));
      const executable = info.mode & 0o100 ? 'x' : '-';
      parts.push(
        `${file} ${executable}`,
        info.isSymbolicLink() ? await readlink(join(root, file)) : await readFile(join(root, file)),
      );
    }
  return inputHash(...parts);
}
