import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';
import { DriverError } from '../errors.ts';
import type { Digest } from '../ports.ts';

/** Hashes and counts what goes through; `digest` is good after the end. */
export class DigestStream extends Transform {
  readonly #hash = createHash('sha256');
  #size = 0;
  digest: Digest | null = null;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error: null, chunk: Buffer) => void) {
    this.#hash.update(chunk);
    this.#size += chunk.length;
    done(null, chunk);
  }

  override _flush(done: () => void): void {
    this.digest = { size: this.#size, sha256: this.#hash.digest('hex') };
    done();
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
    if (this.#size > this.#expected.size) return done(mismatch());
    if (this.#held) this.push(this.#held);
    this.#held = chunk;
    done();
  }

  override _flush(done: (error?: Error) => void): void {
    const right = this.#size === this.#expected.size && this.#hash.digest('hex') === this.#expected.sha256;
    if (!right) return done(mismatch());
    if (this.#held) this.push(this.#held);
    done();
  }
}

export function mismatch(): DriverError {
  return new DriverError('content.mismatch', 'The rebuilt content is not what its receipt says', {
    retryable: false,
  });
}

export function missing(cause: unknown): DriverError {
  return new DriverError('content.missing', 'The rebuilt content is not there any more', {
    retryable: false,
    cause,
  });
}
