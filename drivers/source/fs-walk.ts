import type { BigIntStats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import type { Anchor } from '../file-system/anchor.ts';
import { type ByteString, fromByteString, MAX_NAME_BYTES } from '../file-system/byte-string.ts';
import { isAbsent, isBlockedByKind, isDenied } from '../file-system/errno.ts';
import { fileVersion } from '../file-system/file-version.ts';
import { FolderCursor } from '../file-system/folder-cursor.ts';
import type { ListedEntry } from '../ports.ts';
import { type Look, lookAt } from './look-at.ts';

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
/**
 * Names that are looked at together at most: ever more of them while plain files are met, for what follows one mostly
 * is one. Looks that begin together share their wake-ups, and cost a third of what they cost one by one.
 */
const TOGETHER = 64;
const GROWTH = 4;
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
  /** What was looked at ahead, by its name in the open folder. Its paths are good while that stays open. */
  readonly #ahead = new Map<ByteString, Promise<Look>>();
  #together = 1;
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

  /** The next entry, or null at the end. It looks ahead as far as somebody will who wants `more` entries. */
  async next(more = TOGETHER): Promise<ListedEntry | null> {
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
      this.#lookAhead(folder, here, more);
      const entry = await this.#look(folder, join(here.path, name), name);
      if (entry) return entry;
    }
  }

  /** Closes what is open. The walk can go on afterwards. */
  async rest(): Promise<void> {
    await this.#stopLooking();
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
      if (this.#folder && this.#folder.depth > here.depth) await this.#stopLooking();
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

  #lookAhead(folder: FolderCursor, { names, next }: WalkPosition, more: number): void {
    if (this.#ahead.has(names[next] ?? '')) return;
    for (const name of names.slice(next, next + Math.min(this.#together, more))) {
      this.#ahead.set(name, lookAt(folder.entry(name)));
    }
    this.#together = Math.min(GROWTH * this.#together, TOGETHER);
  }

  /** Nothing may be under way when the open folder changes: its number could be another folder's by then. */
  async #stopLooking(): Promise<void> {
    await Promise.all(this.#ahead.values());
    this.#ahead.clear();
  }

  async #look(folder: FolderCursor, path: ByteString, name: ByteString): Promise<ListedEntry | null> {
    const { stats, failure } = await (this.#ahead.get(name) ?? lookAt(folder.entry(name)));
    this.#ahead.delete(name);
    if (!stats?.isFile()) this.#together = 1;
    if (stats === undefined) {
      if (isAbsent(failure)) return null;
      if (isDenied(failure)) return unreadable(path, 'no permission to enter its folder');
      throw failure;
    }
    if (stats.isDirectory()) return this.#descend(folder, path, name);
    if (!stats.isFile()) return unreadable(path, kindOf(stats));
    if (failure !== undefined) {
      if (isAbsent(failure)) return null;
      if (isDenied(failure)) return unreadable(path, 'no permission to read it');
      if (isBlockedByKind(failure)) return unreadable(path, SWAPPED);
      throw failure;
    }
    return {
      kind: 'file',
      name: fromByteString(path),
      size: Number(stats.size),
      version: fileVersion(stats),
      modifiedAt: Number(stats.mtimeMs),
      changedAt: Number(stats.ctimeMs),
    };
  }

  /** Goes into a folder; the entry that stands for it when it cannot be listed. */
  async #descend(folder: FolderCursor, path: ByteString, name: ByteString): Promise<ListedEntry | null> {
    if (path.length > MAX_FOLDER_BYTES) {
      return unreadable(path, `a folder whose path is longer than ${MAX_FOLDER_BYTES} bytes`);
    }
    const { depth } = folder;
    await this.#stopLooking();
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
