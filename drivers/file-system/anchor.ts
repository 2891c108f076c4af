/**
 * Opening by components from a trusted folder, following no link: each step is `/proc/self/fd/N/name` with
 * O_NOFOLLOW, which is openat() in a language that lacks it. Whoever can swap a folder for a link while we
 * are on our way can at most make a step fail.
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { ByteString } from './byte-string.ts';
import { errnoOf, isAbsent } from './errno.ts';

/** A folder below one that the operator allows. Links are followed within `base` only: the operator's. */
export type Anchor = { base: string; below: readonly ByteString[] };

/** The trusted folder itself is not there: a volume that is not mounted must not read as files that are gone. */
export class RootMissingError extends Error {
  readonly code = 'EROOTMISSING';

  constructor(cause: unknown) {
    super('an entry of PRISTINE_FILE_ROOTS is not there', { cause });
    this.name = 'RootMissingError';
  }
}

// O_NONBLOCK: a FIFO put in the place of a file would otherwise hold the open for ever.
const SAFE = constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | SAFE;
export const READ_FILE = constants.O_RDONLY | SAFE;
export const NEW_FILE = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | SAFE;

/** The path of an entry of an open folder. Good only while `folder` is open. */
export function entryOf(folder: FileHandle, name: ByteString): Buffer {
  return Buffer.from(`/proc/self/fd/${folder.fd}/${name}`, 'latin1');
}

/** The path of an open folder itself. Good only while it is open. */
export function pathOf(folder: FileHandle): string {
  return `/proc/self/fd/${folder.fd}`;
}

/** Opens a folder in an open folder. Throws ENOTDIR where it is a link. */
export function openFolderIn(folder: FileHandle, name: ByteString): Promise<FileHandle> {
  return open(entryOf(folder, name), FOLDER);
}

/** Brings a folder's entries to the disk, on file systems that know how to. */
export async function syncFolder(folder: FileHandle): Promise<void> {
  await folder.sync().catch((error) => {
    if (errnoOf(error) !== 'EINVAL') throw error;
  });
}

/** Opens the folder at `components` below the anchor. The caller closes it. Throws system errors. */
export async function openFolder(anchor: Anchor, components: readonly ByteString[]): Promise<FileHandle> {
  let folder = await open(anchor.base, constants.O_RDONLY | constants.O_DIRECTORY).catch((error) => {
    throw isAbsent(error) ? new RootMissingError(error) : error;
  });
  for (const name of [...anchor.below, ...components]) {
    const parent = folder;
    try {
      folder = await openFolderIn(parent, name);
    } finally {
      await parent.close();
    }
  }
  return folder;
}

/**
 * Opens a plain file for reading, with its facts. Throws system errors; ELOOP where it is a link or anything
 * else that is no plain file. The caller closes the handle.
 */
export async function openPlainFile(anchor: Anchor, components: readonly ByteString[]) {
  const folder = await openFolder(anchor, components.slice(0, -1));
  let handle: FileHandle;
  try {
    handle = await open(entryOf(folder, components.at(-1) ?? ''), READ_FILE);
  } finally {
    await folder.close();
  }
  try {
    const stats = await handle.stat({ bigint: true });
    if (!stats.isFile()) throw Object.assign(new Error('not a plain file'), { code: 'ELOOP' });
    return { handle, stats };
  } catch (error) {
    await handle.close();
    throw error;
  }
}
