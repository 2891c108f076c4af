import { isUtf8 } from 'node:buffer';
import { createHash, randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { EVENT, type Logger } from '../events.ts';
import type { Destination, Digest, ObjectKey } from '../ports.ts';
import { listObjects } from '../s3/list-objects.ts';
import { mappedBody } from '../s3/mapped-body.ts';
import { presign } from '../s3/presign.ts';
import { s3Error, s3Failure } from '../s3/s3-error.ts';
import { isPlainKey, type S3Place } from '../s3/s3-url.ts';
import { DigestStream, VerifiedStream } from './digests.ts';
import { mismatch, missing, nameUnsupported, noConditionalCreate } from './errors.ts';
import {
  type Condition,
  createAlone,
  createIfAbsent,
  knownCondition,
  probeCondition,
  type Target,
} from './s3-condition.ts';
import { s3Standing } from './s3-standing.ts';

/** S3's limit on one PutObject: 5 GiB. Larger ones go in parts. */
const SINGLE_PUT_BYTES = 5 * 1024 ** 3;
/** S3's limit on a key. */
const MAX_KEY_BYTES = 1024;
/** Size of a part; 10,000 of them are the most that S3 takes. */
const PART_BYTES = 8 * 1024 ** 2;

export type S3DestinationOptions = {
  now?: () => number;
  singlePutBytes?: number;
  /** Takes a store without conditional writes too: PRISTINE_SINGLE_WRITER. */
  singleWriter?: boolean;
  log?: Logger;
};

/**
 * Objects below a prefix of a bucket, in a store that knows conditional writes (If-None-Match: *). In single-writer
 * mode also in one that does not: `create` then looks and writes, and nothing keeps two from doing it at once.
 */
export class S3Destination implements Destination {
  readonly url: string;
  readonly #client: S3Client;
  readonly #place: S3Place;
  readonly #now: () => number;
  readonly #singlePutBytes: number;
  readonly #singleWriter: boolean;
  readonly #log: Logger | undefined;

  constructor(client: S3Client, place: S3Place, options: S3DestinationOptions = {}) {
    this.url = place.url;
    this.#client = client;
    this.#place = place;
    this.#now = options.now ?? Date.now;
    this.#singlePutBytes = options.singlePutBytes ?? SINGLE_PUT_BYTES;
    this.#singleWriter = options.singleWriter ?? false;
    this.#log = options.log;
  }

  async check(): Promise<void> {
    const condition = await probeCondition(this.#client, this.#probe());
    if (condition === 'held') return;
    if (!this.#singleWriter) throw noConditionalCreate(`its store ${WITHOUT[condition]} If-None-Match: *`);
    this.#log?.warn(
      { event: EVENT.destinationSingleWriter, destination: this.url, condition },
      'no conditional create here: no other installation may write to this destination',
    );
  }

  async read(key: ObjectKey): Promise<{ size: number; body: Readable } | null> {
    const target = this.#find(key);
    if (!target) return null;
    try {
      const answer = await this.#client.send(new GetObjectCommand(target));
      const size = answer.ContentLength ?? 0;
      return { size, body: mappedBody('destination', answer.Body, size) };
    } catch (error) {
      if (isNotThere(error)) return null;
      throw s3Error('destination', error);
    }
  }

  /** A body larger than one part of 8 MiB is sent in parts, which a failure takes back. */
  async write(key: ObjectKey, body: Readable | Uint8Array | string): Promise<Digest> {
    const target = this.#target(key);
    if (typeof body === 'string' || body instanceof Uint8Array) {
      const bytes = Buffer.from(body);
      try {
        await this.#client.send(
          new PutObjectCommand({ ...target, Body: bytes, ContentLength: bytes.length }),
        );
      } catch (error) {
        throw s3Error('destination', error);
      }
      return { size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
    }
    const hashed = new DigestStream();
    pipeline(body, hashed).catch(() => undefined);
    try {
      return await this.#upload(target, hashed).then(() => hashed.digest());
    } catch (error) {
      throw body.errored ?? s3Error('destination', error);
    } finally {
      hashed.destroy();
    }
  }

  async create(key: ObjectKey, body: Uint8Array | string): Promise<boolean> {
    const bytes = Buffer.from(body);
    const what = { ...this.#target(key), Body: bytes, ContentLength: bytes.length };
    const condition = await this.#condition();
    try {
      if (condition === 'held') return await createIfAbsent(this.#client, what);
      return await createAlone(this.#client, what, condition);
    } catch (error) {
      const { code, status } = s3Failure(error);
      if (status === 501) throw noConditionalCreate(`it answers ${code}`, error);
      throw s3Error('destination', error);
    }
  }

  /** The bytes go through the worker, which hashes them; the store is told the hash that they must have. */
  async copy(from: ObjectKey, to: ObjectKey, expected: Digest): Promise<void> {
    const target = this.#target(to);
    const found = await this.read(from);
    if (!found) throw missing();
    const checked = new VerifiedStream(expected);
    pipeline(found.body, checked).catch(() => undefined);
    try {
      if (found.size !== expected.size) throw mismatch();
      if (expected.size > this.#singlePutBytes) await this.#upload(target, checked);
      else await this.#put(target, checked, expected);
    } catch (error) {
      if (s3Failure(error).code === 'BadDigest') throw mismatch();
      throw checked.errored ?? s3Error('destination', error);
    } finally {
      checked.destroy();
    }
  }

  /** The version is ETag and size. */
  async standing(keys: readonly ObjectKey[]): Promise<(string | null)[]> {
    return s3Standing(
      this.#client,
      keys.map((key) => this.#find(key)),
    );
  }

  async remove(key: ObjectKey): Promise<void> {
    const target = this.#find(key);
    if (!target) return;
    try {
      await this.#client.send(new DeleteObjectCommand(target));
    } catch (error) {
      if (!isNotThere(error)) throw s3Error('destination', error);
    }
  }

  async *list(prefix: string): AsyncGenerator<{ key: Uint8Array; size: number }> {
    const place = { ...this.#place, prefix: this.#place.prefix + prefix };
    for (let after: string | null = ''; after !== null; ) {
      try {
        const { objects, more } = await listObjects(this.#client, place, after, 1000);
        for (const { name, size } of objects) yield { key: Buffer.concat([Buffer.from(prefix), name]), size };
        after = more ? Buffer.from(objects.at(-1)?.name ?? '').toString('utf8') : null;
      } catch (error) {
        throw s3Error('destination', error);
      }
    }
  }

  /**
   * Whoever uses it must send `If-None-Match: *`, which is signed, unless the store takes no such request: then the
   * link must be used without. S3 cannot hold it to `maxBytes`.
   */
  async signPut(key: string, grant: { pod: string; expiresAt: number; maxBytes: number }): Promise<string> {
    const target = this.#target(key);
    const conditional = (await this.#condition()) !== 'rejected';
    const command = new PutObjectCommand({ ...target, ...(conditional ? { IfNoneMatch: '*' } : {}) });
    try {
      return await presign(this.#client, command, grant.expiresAt, this.#now());
    } catch (error) {
      throw s3Error('destination', error);
    }
  }

  /** Every store is taken to hold the condition, and fails where it does not, unless a single writer is asked for. */
  async #condition(): Promise<Condition> {
    return this.#singleWriter ? knownCondition(this.#client, this.#probe()) : 'held';
  }

  #probe(): Target {
    return this.#target(`scans/.probe-${randomBytes(16).toString('hex')}`);
  }

  /** null where no object can have this key. */
  #find(key: ObjectKey): Target | null {
    const bytes = Buffer.from(key);
    const text = bytes.toString('utf8');
    const Key = this.#place.prefix + text;
    if (!isUtf8(bytes) || !isPlainKey(text) || Buffer.byteLength(Key) > MAX_KEY_BYTES) return null;
    return { Bucket: this.#place.bucket, Key };
  }

  #target(key: ObjectKey): Target {
    const target = this.#find(key);
    if (target) return target;
    throw nameUnsupported('an S3 key is UTF-8, of at most 1,024 bytes, without empty, "." or ".." parts');
  }

  async #put(target: Target, body: Readable, expected: Digest): Promise<void> {
    // No bytes, no last chunk to hold back.
    if (expected.size === 0) await finished(body.resume());
    const ChecksumSHA256 = Buffer.from(expected.sha256, 'hex').toString('base64');
    const Body = expected.size === 0 ? Buffer.alloc(0) : body;
    const command = new PutObjectCommand({ ...target, Body, ContentLength: expected.size, ChecksumSHA256 });
    // The SDK does not notice that the body it sends has failed.
    const abort = new AbortController();
    body.once('error', () => abort.abort());
    await this.#client.send(command, { abortSignal: abort.signal });
  }

  async #upload(target: Target, body: Readable): Promise<void> {
    await new Upload({
      client: this.#client,
      params: { ...target, Body: body },
      partSize: PART_BYTES,
      queueSize: 2,
    }).done();
  }
}

const WITHOUT = { ignored: 'ignores', rejected: 'rejects' } as const;

/** By its code: a 404 can also mean that the bucket or the user does not exist. */
function isNotThere(error: unknown): boolean {
  return s3Failure(error).code === 'NoSuchKey';
}
