import { isUtf8 } from 'node:buffer';
import { createHash, randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import type { Destination, Digest, ObjectKey } from '../ports.ts';
import { listObjects } from '../s3/list-objects.ts';
import { mappedBody } from '../s3/mapped-body.ts';
import { presign } from '../s3/presign.ts';
import { s3Error, s3Failure } from '../s3/s3-error.ts';
import { isPlainKey, type S3Place } from '../s3/s3-url.ts';
import { DigestStream, VerifiedStream } from './digests.ts';
import { mismatch, missing, nameUnsupported, noConditionalCreate } from './errors.ts';

/** S3's limit on one PutObject: 5 GiB. Larger ones go in parts. */
const SINGLE_PUT_BYTES = 5 * 1024 ** 3;
/** S3's limit on a key. */
const MAX_KEY_BYTES = 1024;
/** Tries of a conditional create that S3 answers with 409: another one was under way. */
const CONFLICT_TRIES = 5;

/** Size of a part; 10,000 of them are the most that S3 takes. */
const PART_BYTES = 8 * 1024 ** 2;

type Target = { Bucket: string; Key: string };
export type S3DestinationOptions = { now?: () => number; singlePutBytes?: number };

/** Objects below a prefix of a bucket, in a store that knows conditional writes (If-None-Match: *). */
export class S3Destination implements Destination {
  readonly url: string;
  readonly #client: S3Client;
  readonly #place: S3Place;
  readonly #now: () => number;
  readonly #singlePutBytes: number;

  constructor(client: S3Client, place: S3Place, options: S3DestinationOptions = {}) {
    this.url = place.url;
    this.#client = client;
    this.#place = place;
    this.#now = options.now ?? Date.now;
    this.#singlePutBytes = options.singlePutBytes ?? SINGLE_PUT_BYTES;
  }

  async check(): Promise<void> {
    const probe = `scans/.probe-${randomBytes(16).toString('hex')}`;
    try {
      const first = await this.create(probe, 'probe');
      const second = await this.create(probe, 'probe');
      if (!first || second) throw noConditionalCreate('a second one replaced the first');
    } catch (error) {
      await this.remove(probe).catch(() => undefined);
      throw error;
    }
    await this.remove(probe);
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
    const command = new PutObjectCommand({ ...what, IfNoneMatch: '*' });
    for (let tries = 1; ; tries += 1) {
      try {
        await this.#client.send(command);
        return true;
      } catch (error) {
        const { code, status } = s3Failure(error);
        if (status === 412) return false;
        if (status === 501) throw noConditionalCreate(`it answers ${code}`, error);
        const meaning = s3Error('destination', error);
        if (status !== 409 || !meaning.retryable || tries === CONFLICT_TRIES) throw meaning;
        await sleep(50 * 2 ** tries);
      }
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

  /** Whoever uses it must send `If-None-Match: *`, which is signed. S3 cannot hold it to `maxBytes`. */
  async signPut(key: string, grant: { pod: string; expiresAt: number; maxBytes: number }): Promise<string> {
    const command = new PutObjectCommand({ ...this.#target(key), IfNoneMatch: '*' });
    try {
      return await presign(this.#client, command, grant.expiresAt, this.#now());
    } catch (error) {
      throw s3Error('destination', error);
    }
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

/** By its code: a 404 can also mean that the bucket or the user does not exist. */
function isNotThere(error: unknown): boolean {
  return s3Failure(error).code === 'NoSuchKey';
}
