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

/** `more` is false only at the end. A page holds something exact to go on from, or is the last. */
export type S3Page = { objects: S3Object[]; more: boolean };

/**
 * One page of the keys after `after` (a key below the prefix; empty for the first page) in byte order, by
 * StartAfter: a continuation token would not outlive the store's restart. Throws the SDK's errors, and
 * DriverError config.invalid for a store that does not list in order: with it files could be skipped.
 */
export async function listObjects(
  client: S3Client,
  place: S3Place,
  after: string,
  limit: number,
): Promise<S3Page> {
  // Starting after the prefix itself leaves out the folder's own marker.
  const start = place.prefix + after;
  const objects: S3Object[] = [];
  let last: Uint8Array = Buffer.from(start);
  let keys = Math.min(limit, 1000);
  let token: string | undefined;
  do {
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
    for (const content of answer.Contents ?? []) {
      const key = decodeKey(content.Key ?? '', answer.EncodingType === 'url');
      if (key.exact && Buffer.compare(key.bytes, last) <= 0) throw unordered();
      if (key.exact) last = key.bytes;
      objects.push({
        name: key.bytes.subarray(Buffer.byteLength(place.prefix)),
        garbled: !key.exact,
        size: content.Size ?? 0,
        etag: content.ETag,
        modifiedAt: content.LastModified?.getTime() ?? 0,
      });
    }
    if (!answer.IsTruncated) return { objects, more: false };
    // A garbled key is no place to go on from: leave it to the next page, which starts after an exact one.
    const exact = objects.findLastIndex(({ garbled }) => !garbled) + 1;
    if (exact > 0) return { objects: objects.slice(0, exact), more: true };
    if (objects.length === 0) {
      token = answer.NextContinuationToken;
    } else if (keys < 1000) {
      // Nor is a token that such a key is in. Ask for so many that an exact one is among them.
      keys = 1000;
      objects.length = 0;
    } else {
      throw unordered();
    }
  } while (token !== undefined || objects.length === 0);
  throw unordered();
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
