import { randomBytes } from 'node:crypto';
import { type FileHandle, lstat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { digestOf } from '../digest-of.ts';
import { EVENT, type Logger } from '../events.ts';
import { type Anchor, entryOf, openFolder, openPlainFile, syncFolder } from '../file-system/anchor.ts';
import { type ByteString, fromByteString, splitName } from '../file-system/byte-string.ts';
import { type Claimed, claimName, isWithoutLinks } from '../file-system/claim-name.ts';
import { isAbsent, isBlockedByKind } from '../file-system/errno.ts';
import { FileBody } from '../file-system/file-body.ts';
import type { FilePlace } from '../file-system/file-url.ts';
import { listFiles } from '../file-system/list-files.ts';
import { inParent, makeFolder, removeFile } from '../file-system/place-file.ts';
import { standing } from '../file-system/standing.ts';
import { removeAbandoned, TEMP_FOLDER, TempFile } from '../file-system/temp-file.ts';
import type { Destination, Digest, LinkSigner, ObjectKey } from '../ports.ts';
import { mismatch, missing, nameUnsupported, noConditionalCreate } from './errors.ts';
import { fsDestinationError } from './fs-error.ts';

export type FsDestinationOptions = {
  /** Takes a file system without hard links too: PRISTINE_SINGLE_WRITER. */
  singleWriter?: boolean;
  log?: Logger;
  now?: () => number;
};

/**
 * A folder that the worker can write. A file is written under `.pristine-tmp` of its entry of PRISTINE_FILE_ROOTS,
 * brought to the disk, and appears by a rename (write, copy) or a link that replaces nothing (create). In
 * single-writer mode, where there are no hard links, `create` looks and renames, and nothing keeps two from doing
 * it at once.
 * No link in the destination is followed.
 */
export class FsDestination implements Destination {
  readonly url: string;
  readonly #anchor: Anchor;
  readonly #signer: LinkSigner;

  readonly #singleWriter: boolean;
  readonly #log: Logger | undefined;
  readonly #now: () => number;

  constructor(place: FilePlace, signer: LinkSigner, options: FsDestinationOptions = {}) {
    this.url = place.url;
    this.#anchor = place.anchor;
    this.#signer = signer;
    this.#singleWriter = options.singleWriter ?? false;
    this.#log = options.log;
    this.#now = options.now ?? Date.now;
  }

  /** Makes the folder if need be, and removes what writers that died left behind. */
  async check(): Promise<void> {
    await onDisk(async () => {
      await (await makeFolder(this.#anchor, [])).close();
      await this.#withRoot(removeAbandoned);
    });
    const probe = `scans/.probe-${randomBytes(16).toString('hex')}`;
    try {
      const first = await this.#create(probe, '');
      const second = await this.#create(probe, '');
      if (!first.claimed || second.claimed) throw noConditionalCreate('a second link replaced the first');
      if (!first.fenced) {
        this.#log?.warn(
          { event: EVENT.destinationSingleWriter, destination: this.url },
          'no hard links here: no other installation may write to this destination',
        );
      }
    } catch (error) {
      await this.remove(probe).catch(() => undefined);
      throw error;
    }
    await this.remove(probe);
  }

  async read(key: ObjectKey): Promise<{ size: number; body: Readable } | null> {
    const components = splitName(bytesOf(key));
    if (!components) return null;
    try {
      const { handle, stats } = await openPlainFile(this.#anchor, components);
      const size = Number(stats.size);
      return { size, body: new FileBody(handle, { size, version: null }, fsDestinationError) };
    } catch (error) {
      if (isAbsent(error)) return null;
      throw fsDestinationError(error);
    }
  }

  async write(key: ObjectKey, body: Readable | Uint8Array | string): Promise<Digest> {
    const components = this.#split(key);
    return this.#withTemp(async (temp) => {
      const digest = await fill(temp, body);
      await onDisk(() => inParent(this.#anchor, components, (parent, name) => temp.replace(parent, name)));
      return digest;
    });
  }

  async create(key: ObjectKey, body: Uint8Array | string): Promise<boolean> {
    return (await this.#create(key, body)).claimed;
  }

  async copy(from: ObjectKey, to: ObjectKey, expected: Digest): Promise<void> {
    const source = this.#split(from);
    const target = this.#split(to);
    const { handle, stats } = await openPlainFile(this.#anchor, source).catch((error) => {
      throw isAbsent(error) ? missing(error) : fsDestinationError(error);
    });
    const body = new FileBody(handle, { size: Number(stats.size), version: null }, fsDestinationError);
    try {
      if (await this.#holds(target, expected)) {
        if (isSame(await digestOf(body), expected)) return;
        throw mismatch();
      }
      await this.#withTemp(async (temp) => {
        const digest = await fill(temp, body);
        if (!isSame(digest, expected)) throw mismatch();
        await onDisk(() => inParent(this.#anchor, target, (parent, name) => temp.replace(parent, name)));
      });
    } finally {
      body.destroy();
    }
  }

  /** Whether exactly these bytes lie there, for good: a delivery that stands is not written and synced once more. */
  async #holds(components: readonly ByteString[], expected: Digest): Promise<boolean> {
    return onDisk(async () => {
      const folder = await openFolder(this.#anchor, components.slice(0, -1)).catch(absentOr);
      if (folder === null) return false;
      try {
        const found = await openPlainFile(this.#anchor, components).catch(absentOr);
        if (found === null) return false;
        const body = new FileBody(found.handle, { size: Number(found.stats.size), version: null });
        // With another name to it somebody could still change it.
        const whole = found.stats.nlink === 1n && Number(found.stats.size) === expected.size;
        const same = whole && isSame(await digestOf(body), expected);
        body.destroy();
        if (same) await syncFolder(folder);
        return same;
      } finally {
        await folder.close();
      }
    });
  }

  async standing(keys: readonly ObjectKey[]): Promise<(string | null)[]> {
    const names = keys.map((key) => {
      const components = splitName(bytesOf(key));
      return components && { components, ours: typeof key === 'string' };
    });
    const wanted = names.filter((name) => name !== null);
    const answers = (await onDisk(() => standing(this.#anchor, wanted, this.#now()))).values();
    return names.map((name) => (name === null ? null : (answers.next().value ?? null)));
  }

  async remove(key: ObjectKey): Promise<void> {
    const components = splitName(bytesOf(key));
    if (components) await onDisk(() => removeFile(this.#anchor, components));
  }

  async *list(prefix: string): AsyncGenerator<{ key: Uint8Array; size: number }> {
    const components = this.#split(prefix.replace(/\/$/, ''));
    try {
      for await (const { path, size } of listFiles(this.#anchor, components)) {
        yield { key: fromByteString(path), size };
      }
    } catch (error) {
      throw fsDestinationError(error);
    }
  }

  async signPut(key: string, grant: { pod: string; expiresAt: number; maxBytes: number }): Promise<string> {
    const path = fromByteString([...this.#anchor.below, ...this.#split(key)].join('/'));
    return this.#signer.sign({ method: 'PUT', root: this.#anchor.base, path, ...grant });
  }

  async #create(key: ObjectKey, body: Uint8Array | string): Promise<Claimed> {
    const components = this.#split(key);
    return this.#withTemp(async (temp) => {
      await fill(temp, body);
      return onDisk(() =>
        inParent(this.#anchor, components, async (parent, name) => {
          const claim = await claimName(temp, parent, name, this.#singleWriter).catch((error) => {
            throw isWithoutLinks(error)
              ? noConditionalCreate('its file system has no hard links', error)
              : error;
          });
          // A folder of that name is nobody's file.
          if (claim.claimed || (await lstat(entryOf(parent, name))).isFile()) return claim;
          throw nameUnsupported('something that is no plain file has it');
        }),
      );
    });
  }

  #split(key: ObjectKey): ByteString[] {
    const components = splitName(bytesOf(key));
    if (!components) throw nameUnsupported('a part of it is empty, ".", ".." or longer than 255 bytes');
    if (components[0] === TEMP_FOLDER) throw nameUnsupported(`${TEMP_FOLDER} is used for temporary files`);
    return components;
  }

  async #withTemp<T>(use: (temp: TempFile) => Promise<T>): Promise<T> {
    const temp = await onDisk(() => this.#withRoot((root) => TempFile.create(root)));
    try {
      return await use(temp);
    } finally {
      await temp.discard();
    }
  }

  async #withRoot<T>(use: (root: FileHandle) => Promise<T>): Promise<T> {
    const root = await openFolder({ base: this.#anchor.base, below: [] }, []);
    try {
      return await use(root);
    } finally {
      await root.close();
    }
  }
}

/** Fails as the body does when the body fails, and with DriverError when the disk does. */
async function fill(temp: TempFile, body: Readable | Uint8Array | string): Promise<Digest> {
  const chunks = typeof body === 'string' || body instanceof Uint8Array ? [body] : body;
  for await (const chunk of chunks) {
    await onDisk(() => temp.append(typeof chunk === 'string' ? Buffer.from(chunk) : chunk));
  }
  return onDisk(() => temp.finish());
}

/** null for what is not there, or is no plain file: then it is written. */
function absentOr(error: unknown): null {
  if (isAbsent(error) || isBlockedByKind(error)) return null;
  throw error;
}

function isSame(found: Digest, expected: Digest): boolean {
  return found.sha256 === expected.sha256 && found.size === expected.size;
}

function bytesOf(key: ObjectKey): Uint8Array {
  return typeof key === 'string' ? Buffer.from(key) : key;
}

async function onDisk<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fsDestinationError(error);
  }
}
