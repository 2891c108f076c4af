import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';
import type { Digest } from '../ports.ts';
import { mismatch } from './errors.ts';

/** Hashes and counts what goes through. */
export class DigestStream extends Transform {
  readonly #hash = createHash('sha256');
  #size = 0;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error: null, chunk: Buffer) => void) {
    this.#hash.update(chunk);
    this.#size += chunk.length;
    done(null, chunk);
  }

  /** To be called once, after the end. */
  digest(): Digest {
    return { size: this.#size, sha256: this.#hash.digest('hex') };
  }
}

/**
 * Lets bytes through if they are `expected`. The last chunk is held back until the hash of all is known, so
 * that a reader who gets everything got the right thing; otherwise it fails with content.mismatch.
 */
export class VerifiedStream extends Transform {
  readonly #expected: Digest;
  readonly #hash = createHash('sha256');
  #size = 0;
  #held: Buffer | null = null;

  constructor(expected: Digest) {
    super();
    this.#expected = expected;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.#hash.update(chunk);
    this.#size += chunk.length;
    if (this.#held) this.push(this.#held);
    this.#held = chunk;
    done(this.#size > this.#expected.size ? mismatch() : undefined);
  }

  override _flush(done: (error?: Error) => void): void {
    const right = this.#size === this.#expected.size && this.#hash.digest('hex') === this.#expected.sha256;
    if (right && this.#held) this.push(this.#held);
    done(right ? undefined : mismatch());
  }
}
