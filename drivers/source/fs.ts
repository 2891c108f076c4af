import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { DriverError } from '../errors.ts';
import { type Anchor, openFolder, openPlainFile, pathOf, RootMissingError } from '../file-system/anchor.ts';
import { type ByteString, fromByteString, splitName, toByteString } from '../file-system/byte-string.ts';
import { errnoOf, isAbsent, isBlockedByKind, isDenied } from '../file-system/errno.ts';
import { FileBody, FileChangedError } from '../file-system/file-body.ts';
import type { FilePlace } from '../file-system/file-url.ts';
import { fileVersion } from '../file-system/file-version.ts';
import type { LinkSigner, ListedEntry, ListPage, NameBytes, Source } from '../ports.ts';
import { FsWalk, type WalkPosition } from './fs-walk.ts';

/** A page ends early when its names come to this many bytes: pages travel through Temporal's 2 MB payloads. */
const PAGE_NAME_BYTES = 128 * 1024;
/** Pages whose places in the tree are remembered, so that going on from one of them reads no folder again. */
const MAX_PAGES = 4;

/**
 * A folder that the worker can see. Entries come depth first in the byte order of their names' components;
 * no link is ever followed. Empty folders list nothing. A folder that can't be listed is one unreadable entry.
 */
export class FsSource implements Source {
  readonly url: string;
  readonly #anchor: Anchor;
  readonly #signer: LinkSigner;
  /** By the name of an entry, the place after it. One map a page, the newest last. */
  readonly #pages: Map<ByteString, WalkPosition>[] = [];

  constructor(place: FilePlace, signer: LinkSigner) {
    this.url = place.url;
    this.#anchor = place.anchor;
    this.#signer = signer;
  }

  async check(): Promise<void> {
    try {
      const folder = await openFolder(this.#anchor, []);
      try {
        await access(pathOf(folder), constants.R_OK | constants.X_OK);
      } finally {
        await folder.close();
      }
    } catch (error) {
      throw folderError(error);
    }
  }

  async list(cursor: NameBytes | null, limit: number): Promise<ListPage> {
    const entries: ListedEntry[] = [];
    const places = new Map<ByteString, WalkPosition>();
    let bytes = 0;
    try {
      const walk = await this.#walkAfter(cursor === null ? null : toByteString(cursor));
      try {
        while (entries.length < limit && bytes < PAGE_NAME_BYTES) {
          const entry = await walk.next(limit - entries.length);
          if (!entry) return { entries, next: null };
          entries.push(entry);
          bytes += entry.name.length;
          if (walk.position) places.set(toByteString(entry.name), walk.position);
        }
      } finally {
        await walk.rest();
        this.#pages.push(places);
        if (this.#pages.length > MAX_PAGES) this.#pages.shift();
      }
      return { entries, next: entries.at(-1)?.name ?? cursor };
    } catch (error) {
      throw folderError(error);
    }
  }

  async open(name: NameBytes, version: string): Promise<{ size: number; body: Readable }> {
    const components = splitName(name);
    if (!components) throw changed('gone', 'The file has a name that no file can have');
    try {
      const { handle, stats } = await openPlainFile(this.#anchor, components);
      if (fileVersion(stats) === version) {
        const size = Number(stats.size);
        return { size, body: new FileBody(handle, { size, version }, fileError) };
      }
      await handle.close();
    } catch (error) {
      throw fileError(error);
    }
    throw changed('changed', 'The file is not the one that was listed any more');
  }

  async signGet(name: NameBytes, grant: { pod: string; expiresAt: number }): Promise<string> {
    const { base, below } = this.#anchor;
    const path = Buffer.concat([fromByteString(below.map((each) => `${each}/`).join('')), name]);
    return this.#signer.sign({ method: 'GET', root: base, path, ...grant });
  }

  async #walkAfter(cursor: ByteString | null): Promise<FsWalk> {
    const kept = cursor === null ? undefined : this.#pages.findLast((page) => page.has(cursor))?.get(cursor);
    return kept ? FsWalk.at(this.#anchor, kept) : FsWalk.after(this.#anchor, cursor);
  }
}

function changed(what: 'changed' | 'gone', message: string, cause?: unknown): DriverError {
  return new DriverError(`source.${what}`, message, { retryable: false, cause });
}

/** What a failure to open or read one file means. */
function fileError(cause: unknown): DriverError {
  if (cause instanceof DriverError) return cause;
  if (cause instanceof FileChangedError)
    return changed('changed', 'The file changed while it was read', cause);
  if (isAbsent(cause)) return changed('gone', 'The file is not there any more', cause);
  if (isBlockedByKind(cause))
    return changed('changed', 'Something that is no plain file took its place', cause);
  if (cause instanceof RootMissingError) return folderError(cause);
  if (isDenied(cause)) {
    const message = 'There is no permission to read the file: allow it to the user that the worker runs as';
    return new DriverError('source.forbidden', message, { retryable: false, cause });
  }
  return unavailable(cause);
}

/** What a failure to list the source as a whole means. */
function folderError(cause: unknown): DriverError {
  if (isAbsent(cause) || cause instanceof RootMissingError) {
    const message =
      "The source's folder is not there: check the URL and that the volume is mounted on the workers";
    return new DriverError('source.missing', message, { retryable: false, cause });
  }
  if (isBlockedByKind(cause)) {
    const message = "The source is no folder, or a link leads to it: give the folder's own path";
    return new DriverError('source.missing', message, { retryable: false, cause });
  }
  if (isDenied(cause)) {
    const message =
      "There is no permission to list the source's folder: allow it to the user that the worker runs as";
    return new DriverError('source.forbidden', message, { retryable: false, cause });
  }
  return unavailable(cause);
}

function unavailable(cause: unknown): DriverError {
  const message = `The source's file system answers ${errnoOf(cause) ?? 'with an error'}`;
  return new DriverError('source.unavailable', message, { retryable: true, cause });
}
