import type { Dirent } from 'node:fs';
import { lstat } from 'node:fs/promises';
import type { Anchor } from './anchor.ts';
import type { ByteString } from './byte-string.ts';
import { isAbsent, isBlockedByKind } from './errno.ts';
import { FolderCursor } from './folder-cursor.ts';

type Level = { path: ByteString; names: readonly ByteString[]; next: number };

/**
 * The plain files below a folder in the byte order of their whole paths, as an object store lists keys.
 * What is removed meanwhile is left out; none when the folder is not there. Throws system errors.
 */
export async function* listFiles(
  anchor: Anchor,
  start: readonly ByteString[],
): AsyncGenerator<{ path: ByteString; size: number }> {
  const folder = await FolderCursor.open(anchor, start).catch((error) => {
    if (!isAbsent(error)) throw error;
  });
  if (!folder) return;
  try {
    const levels: Level[] = [{ path: start.join('/'), names: await keyOrder(folder), next: 0 }];
    for (let level = levels.at(-1); level; level = levels.at(-1)) {
      const name = level.names[level.next];
      level.next += 1;
      if (name === undefined) {
        levels.pop();
        if (levels.length > 0) await folder.leave();
        continue;
      }
      const path = `${level.path}/${name}`;
      try {
        if (!name.endsWith('/')) {
          const stats = await lstat(folder.entry(name));
          if (stats.isFile()) yield { path, size: stats.size };
          continue;
        }
        await folder.enter(name.slice(0, -1));
        const below: Level = { path: path.slice(0, -1), names: [], next: 0 };
        levels.push(below);
        below.names = await keyOrder(folder);
      } catch (error) {
        if (!isAbsent(error) && !isBlockedByKind(error)) throw error;
      }
    }
  } finally {
    await folder.close();
  }
}

/** Names in the order that their keys have: a folder's key goes on with a slash. */
async function keyOrder(folder: FolderCursor): Promise<ByteString[]> {
  const names: ByteString[] = [];
  for await (const entry of folder.entries()) {
    names.push((await isFolder(folder, entry)) ? `${entry.name}/` : entry.name);
  }
  return names.sort();
}

/** Not every file system tells the kind with the name. */
async function isFolder(folder: FolderCursor, entry: Dirent): Promise<boolean> {
  if (entry.isDirectory()) return true;
  if (entry.isFile() || entry.isSymbolicLink()) return false;
  return (await lstat(folder.entry(entry.name))).isDirectory();
}
