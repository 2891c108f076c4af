import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { fileVersion } from './file-version.ts';

const CHUNK_BYTES = 256 * 1024;

/** The file is not the one that was opened any more; whoever reads it must not use what it got. */
export class FileChangedError extends Error {
  constructor() {
    super('the file changed while it was being read');
    this.name = 'FileChangedError';
  }
}

/**
 * The bytes of an open file, `size` of them. Owns the handle. With a `version` it looks again before it gives
 * the last chunk and fails with FileChangedError instead of giving it: no reader gets a whole mixture.
 */
export class FileBody extends Readable {
  readonly #handle: FileHandle;
  readonly #size: number;
  readonly #version: string | null;
  readonly #asError: (cause: unknown) => Error;
  #position = 0;

  /** `asError` says what a failed read means; without it the stream fails with the failure itself. */
  constructor(
    handle: FileHandle,
    expected: { size: number; version: string | null },
    asError: (cause: unknown) => Error = (cause) => cause as Error, // node:fs throws Errors only
  ) {
    super({ highWaterMark: CHUNK_BYTES });
    this.#handle = handle;
    this.#size = expected.size;
    this.#version = expected.version;
    this.#asError = asError;
  }

  override _read(): void {
    this.#readChunk().then(
      (chunk) => this.push(chunk),
      (error) => this.destroy(this.#asError(error)),
    );
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    // Waits for a read that is under way, so that its number is not another file's by then.
    this.#handle.close().then(
      () => callback(error),
      (closing) => callback(error ?? closing),
    );
  }

  async #readChunk(): Promise<Buffer | null> {
    const left = this.#size - this.#position;
    if (left === 0) {
      // Only an empty file comes here without the look before its last chunk.
      if (this.#size === 0) await this.#look();
      return null;
    }
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, left));
    const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, this.#position);
    if (bytesRead === 0) throw new FileChangedError();
    this.#position += bytesRead;
    if (this.#position === this.#size) await this.#look();
    return buffer.subarray(0, bytesRead);
  }

  async #look(): Promise<void> {
    if (this.#version === null) return;
    const stats = await this.#handle.stat({ bigint: true });
    if (fileVersion(stats) !== this.#version) throw new FileChangedError();
  }
}
