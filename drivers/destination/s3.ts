import { isUtf8 } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { DriverError } from '../errors.ts';
import type { Destination, Digest, ObjectKey } from '../ports.ts';
import { listObjects } from '../s3/list-objects.ts';
import { mappedBody } from '../s3/mapped-body.ts';
import { presign } from '../s3/presign.ts';
import { nameUnsupported, s3Error, s3Failure } from '../s3/s3-error.ts';
import { isPlainKey, type S3Place } from '../s3/s3-url.ts';
import { DigestStream, mismatch, missing, VerifiedStream } from './digests.ts';
import { noConditionalCreate } from './fs-error.ts';

/** S3's limit on one PutObject: 5 GiB. Larger ones go in parts. */
const SINGLE_PUT_BYTES = 5 * 1024 ** 3;
/** S3's limit on a key. */
const MAX_KEY_BYTES = 1024;
/** Tries of a conditional create that S3 answers with 409: another one was under way. */
const CONFLICT_TRIES = 5;

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
    } finally {
      await this.remove(probe);
    }
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

  async write(key: ObjectKey, body: Readable | Uint8Array | string): Promise<Digest> {
    const target = this.#target(key);
    ...
  }
}
