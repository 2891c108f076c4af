import { randomBytes } from 'node:crypto';
import { type FileHandle, lstat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { type Anchor, entryOf, openFolder, openPlainFile } from '../file-system/anchor.ts';
import { type ByteString, fromByteString, splitName } from '../file-system/byte-string.ts';
import { errnoOf, isAbsent } from '../file-system/errno.ts';
import { FileBody } from '../file-system/file-body.ts';
import type { FilePlace } from '../file-system/file-url.ts';
import { listFiles } from '../file-system/list-files.ts';
import { inParent, makeFolder, removeFile } from '../file-system/place-file.ts';
import { removeAbandoned, TEMP_FOLDER, TempFile } from '../file-system/temp-file.ts';
import type { Destination, Digest, LinkSigner, ObjectKey } from '../ports.ts';
import { mismatch, missing, nameUnsupported, noConditionalCreate } from './errors.ts';
import { fsDestinationError } from './fs-error.ts';

/**
 * A folder that the worker can write. A file is written under `.pristine-tmp` of its entry of PRISTINE_FILE_ROOTS,
 * brought to the disk, and appears by a rename (write, copy) or a link that replaces nothing (create).
 * No link in the destination is followed.
 */
export class FsDestination implements Destination {
  readonly url: string;
  readonly #anchor: Anchor;
  readonly #signer: LinkSigner;

  constructor(place: FilePlace, signer: LinkSigner) {
    this.url = place.url;
    this.#anchor = place.anchor;
    this.#signer = signer;
  }

  /** Makes the folder if need be, and removes what writers that died left behind. */
  async check(): Promise<void> {
    await onDisk(async () => {
      await (await makeFolder(this.#anchor, [])).close();
      await this.#withRoot(removeAbandoned);
    });
    const probe = `scans/.probe-${randomBytes(16).toString('hex')}`;
    try {
      const first = await this.create(probe, '');
      const second = await this.create(probe, '');
      if (!first || second) throw noConditionalCreate('a second link replaced the first');
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
    const components = this.#split(key);
    return this.#withTemp(async (temp) => {
      await fill(temp, body);
      return onDisk(() =>
        inParent(this.#anchor, components, async (parent, name) => {
          if (await claim(temp, parent, name)) return true;
          // A folder of that name is nobody's file.
          if ((await lstat(entryOf(parent, name))).isFile()) return false;
          throw nameUnsupported('something that is no plain file has it');
        }),
      );
    });
  }

  async copy(from: ObjectKey, to: ObjectKey, expected: Digest): Promise<void> {
    const source = this.#split(from);
    const target = this.#split(to);
    const { handle, stats } = await openPlainFile(this.#anchor, source).catch((error) => {
      throw isAbsent(error) ? missing(error) : fsDestinationError(error);
    });
    const body = new FileBody(handle, { size: Number(stats.size), version: null }, fsDestinationError);
    try {
      await this.#withTemp(async (temp) => {
        const digest = await fill(temp, body);
        if (digest.sha256 !== expected.sha256 || digest.size !== expected.size) {
          throw mismatch();
        }
        await onDisk(() => inParent(this.#anchor, target, (parent, name) => temp.replace(parent, name)));
      });
    } finally {
      body.destroy();
    }
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

async function claim(temp: TempFile, parent: FileHandle, name: ByteString): Promise<boolean> {
  try {
    return await temp.claim(parent, name);
  } catch (error) {
    const code = errnoOf(error) ?? '';
    if (['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(code)) {
      throw noConditionalCreate('its file system has no hard links', error);
    }
    throw error;
  }
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
