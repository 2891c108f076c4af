import type { BigIntStats } from 'node:fs';
import { lstat, open } from 'node:fs/promises';
import { type Anchor, READ_FILE } from '../file-system/anchor.ts';
import { type ByteString, fromByteString, MAX_NAME_BYTES } from '../file-system/byte-string.ts';
import { isAbsent, isBlockedByKind, isDenied } from '../file-system/errno.ts';
import { fileVersion } from '../file-system/file-version.ts';
import { FolderCursor } from '../file-system/folder-cursor.ts';
import type { ListedEntry } from '../ports.ts';

/**
 * Where a walk is: in a folder, before its `next` name, with the place in the folder above to return to.
 * Never changed once made, so that many can be kept: they share all but one step.
 */
export type WalkPosition = {
  readonly above: WalkPosition | null;
  readonly depth: number;
  readonly path: ByteString;
  readonly names: readonly ByteString[];
  readonly next: number;
};

/** No folder is entered whose entries could have longer names than MAX_NAME_BYTES. */
const MAX_FOLDER_BYTES = MAX_NAME_BYTES - 256;
const SWAPPED = 'replaced by something else while it was being listed';

/**
 * A walk over a tree, depth first, in the byte order of the names' components. It holds the names of the
 * folders it is in and, while it moves, one descriptor; `rest` lets go of that. Folders may be renamed,
 * swapped or removed meanwhile: what is gone is not told, what cannot be looked into is told as unreadable.
 * Throws system errors for anything that is no fact about one entry.
 */
export class FsWalk {
  readonly #anchor: Anchor;
  #here: WalkPosition | null;
  #folder: FolderCursor | null = null;
  /** An entry found on the way to another. */
  #told: ListedEntry | null = null;

  private constructor(anchor: Anchor, here: WalkPosition | null) {
    this.#anchor = anchor;
    this.#here = here;
  }

  /** A walk over all that comes after `cursor`, an entry's name, whether it still is there or not. */
  static async after(anchor: Anchor, cursor: ByteString | null): Promise<FsWalk> {
    const walk = new FsWalk(anchor, null);
    try {
      walk.#folder = await FolderCursor.open(anchor, []);
      const names = await sortedNames(walk.#folder);
      walk.#here = { above: null, depth: 0, path: '', names, next: 0 };
      if (cursor !== null) await walk.#skipTo(cursor.split('/'));
      return walk;
    } catch (error) {
      await walk.rest();
      throw error;
    }
  }

  /** A walk that goes on where another was. */
  static at(anchor: Anchor, position: WalkPosition): FsWalk {
    return new FsWalk(anchor, position);
  }

  /** Where it is; null where there is no going back to. */
  get position(): WalkPosition | null {
    return this.#told ? null : this.#here;
  }

  /** The next entry, or null at the end. */
  async next(): Promise<ListedEntry | null> {
    for (;;) {
      if (this.#told) {
        const told = this.#told;
        this.#told = null;
        return told;
      }
      const here = this.#here;
      if (!here) return null;
      const name = here.names[here.next];
      if (name === undefined) {
        this.#here = here.above;
        continue;
      }
      const folder = await this.#enter(here);
      if (!folder) continue;
      this.#here = { ...here, next: here.next + 1 };
      const entry = await this.#look(folder, join(here.path, name), name);
      if (entry) return entry;
    }
  }

  /** Closes what is open. The walk can go on afterwards. */
  async rest(): Promise<void> {
    await this.#folder?.close();
    this.#folder = null;
  }

  async #skipTo(components: readonly ByteString[]): Promise<void> {
    for (const [index, wanted] of components.entries()) {
      const here = this.#here;
      const folder = this.#folder;
      if (!here || !folder) return;
      const found = here.names.findIndex((name) => name >= wanted);
      const next = found === -1 ? here.names.length : found;
      if (here.names[next] !== wanted) {
        this.#here = { ...here, next };
        return;
      }
      const passed = { ...here, next: next + 1 };
      this.#here = passed;
      const stats = await lstat(folder.entry(wanted), { bigint: true }).catch(ignoreAbsent);
      if (!stats?.isDirectory()) return;
      const entry = await this.#descend(folder, join(here.path, wanted), wanted);
      // The last component is the cursor itself: whatever it was, it has been told.
      if (index < components.length - 1) this.#told = entry;
      if (this.#here === passed) return;
    }
  }

  /** The open folder of this position, or null when that was given up because it cannot be opened. */
  async #enter(here: WalkPosition): Promise<FolderCursor | null> {
    try {
      while (this.#folder && this.#folder.depth > here.depth) await this.#folder.leave();
    } catch {
      // A folder above was moved away meanwhile. Opening this one by its name tells what has become of it.
      await this.rest();
    }
    if (this.#folder) return this.#folder;
    try {
      this.#folder = await FolderCursor.open(this.#anchor, here.path === '' ? [] : here.path.split('/'));
      return this.#folder;
    } catch (error) {
      if (here.above === null) throw error;
      if (isDenied(error))
        this.#told = unreadable(here.path, 'no permission to list the rest of this folder');
      else if (!isAbsent(error) && !isBlockedByKind(error)) throw error;
      this.#here = here.above;
      return null;
    }
  }

  async #look(folder: FolderCursor, path: ByteString, name: ByteString): Promise<ListedEntry | null> {
    let stats: BigIntStats;
    try {
      stats = await lstat(folder.entry(name), { bigint: true });
    } catch (error) {
      if (isAbsent(error)) return null;
      if (isDenied(error)) return unreadable(path, 'no permission to enter its folder');
      throw error;
    }
    if (stats.isDirectory()) return this.#descend(folder, path, name);
    if (!stats.isFile()) return unreadable(path, kindOf(stats));
    try {
      await (await open(folder.entry(name), READ_FILE)).close();
    } catch (error) {
      if (isAbsent(error)) return null;
      if (isDenied(error)) return unreadable(path, 'no permission to read it');
      if (isBlockedByKind(error)) return unreadable(path, SWAPPED);
      throw error;
    }
    return {
      kind: 'file',
      name: fromByteString(path),
      size: Number(stats.size),
      version: fileVersion(stats),
      modifiedAt: Number(stats.mtimeMs),
    };
  }

  /** Goes into a folder; the entry that stands for it when it cannot be listed. */
  async #descend(folder: FolderCursor, path: ByteString, name: ByteString): Promise<ListedEntry | null> {
    if (path.length > MAX_FOLDER_BYTES) {
      return unreadable(path, `a folder whose path is longer than ${MAX_FOLDER_BYTES} bytes`);
    }
    const { depth } = folder;
    try {
      await folder.enter(name);
      const names = await sortedNames(folder);
      this.#here = { above: this.#here, depth: depth + 1, path, names, next: 0 };
      return null;
    } catch (error) {
      if (folder.depth > depth) await this.rest();
      if (isAbsent(error)) return null;
      if (isDenied(error)) return unreadable(path, 'no permission to list this folder');
      if (isBlockedByKind(error)) return unreadable(path, SWAPPED);
      throw error;
    }
  }
}

async function sortedNames(folder: FolderCursor): Promise<ByteString[]> {
  const names: ByteString[] = [];
  for await (const entry of folder.entries()) names.push(entry.name);
  return names.sort();
}

function join(folder: ByteString, name: ByteString): ByteString {
  return folder === '' ? name : `${folder}/${name}`;
}

function unreadable(name: ByteString, reason: string): ListedEntry {
  return { kind: 'unreadable', name: fromByteString(name), reason };
}

function kindOf(stats: BigIntStats): string {
  if (stats.isSymbolicLink()) return 'a symbolic link, which is not followed';
  if (stats.isFIFO()) return 'a named pipe, not a plain file';
  if (stats.isSocket()) return 'a socket, not a plain file';
  return 'a device, not a plain file';
}

function ignoreAbsent(error: unknown): undefined {
  if (!isAbsent(error)) throw error;
}
