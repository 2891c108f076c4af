import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, link, lstat, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import type { Digest } from '../ports.ts';
import { entryOf, NEW_FILE, openFolderIn, pathOf, syncFolder } from './anchor.ts';
import type { ByteString } from './byte-string.ts';
import { errnoOf, isAbsent } from './errno.ts';
import { describeSelf, isGone } from './owner.ts';

/** Where files are written before they appear, in each of PRISTINE_FILE_ROOTS that is written to. */
export const TEMP_FOLDER = '.pristine-tmp';
/** After this a temporary file of another host or container is taken for abandoned. */
const ABANDONED_AFTER_MS = 24 * 60 * 60 * 1000;

/**
 * A file nobody sees yet: it is written and hashed here, then takes its place whole by a rename or a link.
 * Call `discard` in a finally: it removes what has not taken a place.
 */
export class TempFile {
  readonly #folder: FileHandle;
  readonly #name: ByteString;
  readonly #file: FileHandle;
  readonly #hash = createHash('sha256');
  #size = 0;
  #placed = false;

  private constructor(folder: FileHandle, name: ByteString, file: FileHandle) {
    this.#folder = folder;
    this.#name = name;
    this.#file = file;
  }

  /** Creates one in the temporary folder of `root`, an open folder. Throws system errors. */
  static async create(root: FileHandle): Promise<TempFile> {
    const folder = await openTempFolder(root);
    try {
      const name = `${await describeSelf()}-${randomBytes(16).toString('hex')}`;
      return new TempFile(folder, name, await open(entryOf(folder, name), NEW_FILE, 0o666));
    } catch (error) {
      await folder.close();
      throw error;
    }
  }

  get size(): number {
    return this.#size;
  }

  async append(chunk: Uint8Array): Promise<void> {
    this.#hash.update(chunk);
    for (let written = 0; written < chunk.length; ) {
      written += (await this.#file.write(chunk, written)).bytesWritten;
    }
    this.#size += chunk.length;
  }

  /** Brings it to the disk. To be called once, after the last `append`. */
  async finish(): Promise<Digest> {
    await this.#file.sync();
    return { size: this.#size, sha256: this.#hash.digest('hex') };
  }

  /** Takes the place of whatever file has that name. Throws system errors. */
  async replace(parent: FileHandle, name: ByteString): Promise<void> {
    await rename(entryOf(this.#folder, this.#name), entryOf(parent, name));
    this.#placed = true;
    await syncFolder(parent);
  }

  /** Takes the name if nobody has it: false when somebody does. Throws system errors. */
  async claim(parent: FileHandle, name: ByteString): Promise<boolean> {
    try {
      await link(entryOf(this.#folder, this.#name), entryOf(parent, name));
    } catch (error) {
      // NFS may repeat a link that succeeded and then say so: open(2) on O_EXCL advises to count the links.
      if (errnoOf(error) !== 'EEXIST' || (await this.#file.stat()).nlink !== 2) {
        if (errnoOf(error) !== 'EEXIST') throw error;
        // Whoever relies on the other's file must find it after a power failure too.
        await syncFolder(parent);
        return false;
      }
    }
    await syncFolder(parent);
    return true;
  }

  /** Takes the name if nobody has it at the moment of looking: false when somebody does. Throws system errors. */
  async replaceNobody(parent: FileHandle, name: ByteString): Promise<boolean> {
    if (await lstat(entryOf(parent, name)).catch(ignoreAbsent)) return false;
    await this.replace(parent, name);
    return true;
  }

  async discard(): Promise<void> {
    try {
      if (!this.#placed) await unlink(entryOf(this.#folder, this.#name)).catch(ignoreAbsent);
    } finally {
      await this.#file.close();
      await this.#folder.close();
    }
  }
}

/** Removes the temporary files below `root` whose process is gone, or on a dry run only counts them. Returns how many. */
export async function removeAbandoned(root: FileHandle, { dryRun = false } = {}): Promise<number> {
  // Made by the first writer only: `root` may hold a source, where nothing is written.
  const folder = await openFolderIn(root, TEMP_FOLDER).catch(ignoreAbsent);
  if (!folder) return 0;
  try {
    let removed = 0;
    for (const name of await readdir(pathOf(folder), { encoding: 'latin1' })) {
      const path = entryOf(folder, name);
      const stats = await lstat(path).catch(ignoreAbsent);
      if (!stats?.isFile()) continue;
      const old = Date.now() - stats.mtimeMs > ABANDONED_AFTER_MS;
      if (!old && !(await isGone(name.slice(0, name.lastIndexOf('-'))))) continue;
      if (!dryRun) await unlink(path).catch(ignoreAbsent);
      removed += 1;
    }
    return removed;
  } finally {
    await folder.close();
  }
}

async function openTempFolder(root: FileHandle): Promise<FileHandle> {
  try {
    return await openFolderIn(root, TEMP_FOLDER);
  } catch (error) {
    if (!isAbsent(error)) throw error;
    await mkdir(entryOf(root, TEMP_FOLDER)).catch((exists) => {
      if (errnoOf(exists) !== 'EEXIST') throw exists;
    });
    return openFolderIn(root, TEMP_FOLDER);
  }
}

function ignoreAbsent(error: unknown): undefined {
  if (!isAbsent(error)) throw error;
}
