import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { DriverError } from '../errors.ts';
import type { ListedEntry, ListPage, NameBytes, Source } from '../ports.ts';
import { listObjects, type S3Object } from '../s3/list-objects.ts';
import { mappedBody } from '../s3/mapped-body.ts';
import { presign } from '../s3/presign.ts';
import { s3Error, s3Failure } from '../s3/s3-error.ts';
import { isPlainKey, type S3Place } from '../s3/s3-url.ts';

/**
 * The objects below a prefix of a bucket. Names are the keys below the prefix, in S3's own order, the byte
 * order of the keys; the version is the ETag.
 */
export class S3Source implements Source {
  readonly url: string;
  readonly #client: S3Client;
  readonly #place: S3Place;
  readonly #now: () => number;

  constructor(client: S3Client, place: S3Place, now: () => number = Date.now) {
    this.url = place.url;
    this.#client = client;
    this.#place = place;
    this.#now = now;
  }

  async check(): Promise<void> {
    await this.list(null, 1);
  }

  async list(cursor: NameBytes | null, limit: number): Promise<ListPage> {
    try {
      const after = cursor === null ? '' : Buffer.from(cursor).toString('utf8');
      const { objects, more } = await listObjects(this.#client, this.#place, after, limit);
      const entries = objects.map(toEntry);
      return { entries, next: more ? (entries.at(-1)?.name ?? cursor) : null };
    } catch (error) {
      throw s3Error('source', error);
    }
  }

  async open(name: NameBytes, version: string): Promise<{ size: number; body: Readable }> {
    try {
      const answer = await this.#client.send(
        new GetObjectCommand({ Bucket: this.#place.bucket, Key: this.#keyOf(name), IfMatch: version }),
      );
      const size = answer.ContentLength ?? 0;
      return { size, body: mappedBody('source', answer.Body, size) };
    } catch (error) {
      const { code, status } = s3Failure(error);
      if (code === 'NoSuchKey') {
        // Stores answer 404 to more than a missing key, an unknown user among them: gone only if we may list.
        await this.check();
        throw moved('gone', 'The object is not there any more', error);
      }
      if (status === 412) throw moved('changed', 'The object is not the one that was listed any more', error);
      throw s3Error('source', error);
    }
  }

  async signGet(name: NameBytes, grant: { pod: string; expiresAt: number }): Promise<string> {
    const command = new GetObjectCommand({ Bucket: this.#place.bucket, Key: this.#keyOf(name) });
    try {
      return await presign(this.#client, command, grant.expiresAt, this.#now());
    } catch (error) {
      throw s3Error('source', error);
    }
  }

  #keyOf(name: NameBytes): string {
    return this.#place.prefix + Buffer.from(name).toString('utf8');
  }
}

function toEntry({ name, garbled, size, etag, modifiedAt }: S3Object): ListedEntry {
  const problem = whyUnreadable(name, garbled, etag);
  if (problem !== null || etag === undefined) {
    return { kind: 'unreadable', name, reason: problem ?? 'the store gives it no ETag' };
  }
  return { kind: 'file', name, size, version: etag, modifiedAt, changedAt: modifiedAt };
}

function whyUnreadable(name: Uint8Array, garbled: boolean, etag: string | undefined): string | null {
  if (garbled) return 'the store cannot say its key exactly';
  if (!isUtf8(name)) return 'its key is not valid UTF-8';
  const key = Buffer.from(name).toString('utf8');
  if (key.endsWith('/')) return 'a folder marker: its key ends in a slash';
  // A URL with such parts means another one to every client, so that no pod could fetch it.
  if (!isPlainKey(key)) return 'its key has an empty, "." or ".." part';
  return etag === undefined ? 'the store gives it no ETag' : null;
}

function moved(what: 'gone' | 'changed', message: string, cause: unknown): DriverError {
  return new DriverError(`source.${what}`, message, { retryable: false, cause });
}
