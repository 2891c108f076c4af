import type { Dirent } from 'node:fs';
import { type FileHandle, opendir } from 'node:fs/promises';
import { type Anchor, entryOf, openFolder, openFolderIn, pathOf } from './anchor.ts';
import type { ByteString } from './byte-string.ts';

type Place = { name: ByteString; dev: bigint; ino: bigint };

/**
 * One open folder that is moved down and up through a tree, so that a walk of any depth holds one descriptor.
 * Every method throws system errors; after a throw of `leave` the cursor is closed and of no more use.
 */
export class FolderCursor {
  readonly #anchor: Anchor;
  readonly #above: Place[] = [];
  #here: Place;
  #folder: FileHandle;

  private constructor(anchor: Anchor, folder: FileHandle, here: Place) {
    this.#anchor = anchor;
    this.#folder = folder;
    this.#here = here;
  }

  /** Opens the anchor's folder and goes down `components`, following no link. */
  static async open(anchor: Anchor, components: readonly ByteString[]): Promise<FolderCursor> {
    const folder = await openFolder(anchor, []);
    const cursor = new FolderCursor(anchor, folder, await placeOf(folder, ''));
    try {
      for (const name of components) await cursor.enter(name);
      return cursor;
    } catch (error) {
      await cursor.close();
      throw error;
    }
  }

  /** How many folders below the anchor it is. */
  get depth(): number {
    return this.#above.length;
  }

  /** The path of an entry of this folder, good until the cursor moves. */
  entry(name: ByteString): Buffer {
    return entryOf(this.#folder, name);
  }

  /** The entries of this folder, in no order; not good after the cursor moved. */
  async *entries(): AsyncGenerator<Dirent> {
    yield* await opendir(pathOf(this.#folder), { encoding: 'latin1', bufferSize: 1024 });
  }

  async enter(name: ByteString): Promise<void> {
    const folder = await openFolderIn(this.#folder, name);
    const place = await placeOf(folder, name);
    await this.#folder.close();
    this.#above.push(this.#here);
    this.#here = place;
    this.#folder = folder;
  }

  /** Back to the folder above: through `..` if that is where we came from, else anew from the top. */
  async leave(): Promise<void> {
    const above = this.#above.pop();
    if (!above) throw new Error('there is nothing above the anchor');
    const left = this.#folder;
    try {
      const parent = await openFolderIn(left, '..');
      const place = await placeOf(parent, above.name);
      if (place.dev === above.dev && place.ino === above.ino) {
        this.#folder = parent;
      } else {
        // Somebody moved the folder we were in; `..` could lead out of the tree.
        await parent.close();
        const names = [...this.#above, above].slice(1).map((each) => each.name);
        this.#folder = await openFolder(this.#anchor, names);
      }
      this.#here = await placeOf(this.#folder, above.name);
    } finally {
      await left.close();
    }
  }

  async close(): Promise<void> {
    await this.#folder.close();
  }
}

/** Closes the folder if it cannot be looked at. */
async function placeOf(folder: FileHandle, name: ByteString): Promise<Place> {
  try {
    const { dev, ino } = await folder.stat({ bigint: true });
    return { name, dev, ino };
  } catch (error) {
    await folder.close();
    throw error;
  }
}
