import { randomUUID } from 'node:crypto';
import { parseS3Url } from '../../drivers/s3/s3-url.ts';
import { S3Source } from '../../drivers/source/s3.ts';
import type { SourceUnderTest } from './describe-source.ts';
import { deleteObject, putObject, type TestStore } from './s3-store.ts';

/** A prefix of its own in the store, for describeSource. */
export async function s3PrefixUnderTest(store: TestStore): Promise<SourceUnderTest> {
  const prefix = `in box ${randomUUID()}/`;
  const place = parseS3Url(`s3://${store.bucket}/${prefix}`, 'source');
  return {
    open: (now) => new S3Source(store.client, place, now),
    openMissing: () => new S3Source(store.client, parseS3Url('s3://pristine-no-such-bucket/x/', 'source')),
    put: (name, bytes) => putObject(store, prefix + name, bytes),
    remove: (name) => deleteObject(store, prefix + name),
    close: async () => undefined,
  };
}
