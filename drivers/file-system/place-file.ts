import { type FileHandle, mkdir, rmdir, unlink } from 'node:fs/promises';
import { type Anchor, entryOf, openFolder, openFolderIn, syncFolder } from './anchor.ts';
import type { ByteString } from './byte-string.ts';
import { errnoOf, isAbsent, isBlockedByKind } from './errno.ts';

/** How often a parent folder may vanish under us (somebody prunes empty ones) before we give up. */
const MAX_TRIES = 20;

/**
 * Opens the folder that a file of this name goes into, making what is missing, and gives it to `place`.
 * Starts over when the folder is pruned meanwhile. Throws system errors.
 */
export async function inParent<T>(
  anchor: Anchor,
  components: readonly ByteString[],
  place: (parent: FileHandle, name: ByteString) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      const parent = await makeFolder(anchor, components.slice(0, -1));
      try {
        return await place(parent, components.at(-1) ?? '');
      } finally {
        await parent.close();
      }
    } catch (error) {
      if (!isAbsent(error) || tries === MAX_TRIES) throw error;
    }
  }
}

/** Opens a folder below the anchor's base, making it and those above it. The caller closes it. */
export async function makeFolder(anchor: Anchor, components: readonly ByteString[]): Promise<FileHandle> {
  let folder = await openFolder({ base: anchor.base, below: [] }, []);
  for (const name of [...anchor.below, ...components]) {
    const parent = folder;
    try {
      folder = await openFolderIn(parent, name).catch(async (error) => {
        if (!isAbsent(error)) throw error;
        await mkdir(entryOf(parent, name)).catch((exists) => {
          if (errnoOf(exists) !== 'EEXIST') throw exists;
        });
        await syncFolder(parent);
        return openFolderIn(parent, name);
      });
    } finally {
      await parent.close();
    }
  }
  return folder;
}

/** Removes a file and the folders that are empty then, except the topmost. Nothing there is success. */
export async function removeFile(anchor: Anchor, components: readonly ByteString[]): Promise<void> {
  await removeEntry(anchor, components, unlink);
  for (let depth = components.length - 1; depth > 1; depth -= 1) {
    if (!(await removeEntry(anchor, components.slice(0, depth), rmdir))) return;
  }
}

/** false when there is something of another kind or a folder that is not empty. */
async function removeEntry(
  anchor: Anchor,
  components: readonly ByteString[],
  remove: (path: Buffer) => Promise<void>,
): Promise<boolean> {
  try {
    const parent = await openFolder(anchor, components.slice(0, -1));
    try {
      await remove(entryOf(parent, components.at(-1) ?? ''));
      await syncFolder(parent);
    } finally {
      await parent.close();
    }
    return true;
  } catch (error) {
    if (isAbsent(error)) return true;
    if (isBlockedByKind(error)) return false;
    if (['ENOTEMPTY', 'EEXIST', 'EISDIR', 'EBUSY'].includes(errnoOf(error) ?? '')) return false;
    throw error;
  }
}
