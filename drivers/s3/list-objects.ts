import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { DriverError } from '../errors.ts';
import type { S3Place } from './s3-url.ts';

/** `name` is the key below the place's prefix; `garbled` where the store could not say it exactly. */
export type S3Object = {
  name: Uint8Array;
  garbled: boolean;
  size: number;
  etag: string | undefined;
  modifiedAt: number;
};

/** S3 gives no more in one answer. */
const MOST_KEYS = 1000;

/** `more` is false only at the end. A page holds something exact to go on from, or is the last. */
export type S3Page = { objects: S3Object[]; more: boolean };

/**
 * One page of the keys after `after` (a key below the prefix; empty for the first page) in byte order, by
 * StartAfter: a continuation token would not outlive the store's restart. At most `limit`, but for a longer
 * run of garbled keys, which is not cut. Throws the SDK's errors, and DriverError config.invalid for a store
 * that does not list in order: with it files could be skipped.
 */
export async function listObjects(
  client: S3Client,
  place: S3Place,
  after: string,
  limit: number,
): Promise<S3Page> {
  // Starting after the prefix itself leaves out the folder's own marker.
  let ask: Ask = { start: place.prefix + after, keys: Math.min(limit, MOST_KEYS), token: undefined };
  for (;;) {
    const { objects, truncated, token } = await request(client, place, ask);
    if (!truncated && objects.length <= limit) return { objects, more: false };
    // A garbled key is no place to go on from: leave it to the next page, which starts after an exact one.
    const end = lastPlace(objects, limit) + 1;
    if (end > 0) return { objects: objects.slice(0, end), more: truncated || end < objects.length };
    if (!truncated) return { objects, more: false };
    // Nor is a token, which may be that key: ask for so many that an exact one is among them.
    if (objects.length > 0 && ask.keys < MOST_KEYS) ask = { ...ask, keys: MOST_KEYS };
    else if (objects.length === 0 && token !== undefined && token !== ask.token) ask = { ...ask, token };
    else throw unordered();
  }
}

type Ask = { start: string; keys: number; token: string | undefined };

async function request(client: S3Client, place: S3Place, { start, keys, token }: Ask) {
  const answer = await client.send(
    new ListObjectsV2Command({
      Bucket: place.bucket,
      Prefix: place.prefix,
      MaxKeys: keys,
      // XML has no way to write most control characters.
      EncodingType: 'url',
      ...(start === '' ? {} : { StartAfter: start }),
      ...(token === undefined ? {} : { ContinuationToken: token }),
    }),
  );
  let last: Uint8Array = Buffer.from(start);
  const objects = (answer.Contents ?? []).map(({ Key = '', Size = 0, ETag, LastModified }): S3Object => {
    const { bytes, exact } = decodeKey(Key, answer.EncodingType === 'url');
    if (exact && Buffer.compare(bytes, last) <= 0) throw unordered();
    if (exact) last = bytes;
    const name = bytes.subarray(Buffer.byteLength(place.prefix));
    return { name, garbled: !exact, size: Size, etag: ETag, modifiedAt: LastModified?.getTime() ?? 0 };
  });
  return { objects, truncated: answer.IsTruncated === true, token: answer.NextContinuationToken };
}

/** The last exact key among the first `limit`, or the first after them; -1 when there is none. */
function lastPlace(objects: readonly S3Object[], limit: number): number {
  const within = objects.slice(0, limit).findLastIndex(({ garbled }) => !garbled);
  return within === -1 ? objects.findIndex(({ garbled }) => !garbled) : within;
}

/** Without url-encoding a store puts U+FFFD where XML can't hold a character: then the key is not known. */
function decodeKey(key: string, encoded: boolean): { bytes: Buffer; exact: boolean } {
  if (!encoded) return { bytes: Buffer.from(key), exact: !key.includes('\ufffd') };
  // Some stores write a space as +; a plus sign is %2B with all of them.
  const text = Buffer.from(key.replaceAll('+', ' ')).toString('latin1');
  const decoded = text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return { bytes: Buffer.from(decoded, 'latin1'), exact: true };
}

function unordered(): DriverError {
  const message =
    'This S3 store does not list its keys in byte order after a given one, so keys could be skipped: use another store';
  return new DriverError('config.invalid', message, { retryable: false });
}
