/** The same suite on a second implementation of S3. What differs is written down in docs/stores.md. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from '@jest/globals';
import { parseS3Url } from '../../drivers/s3/s3-url.ts';
import { S3Source } from '../../drivers/source/s3.ts';
import { describeSource } from './describe-source.ts';
import { type RcloneStore, startRcloneStore } from './rclone-store.ts';
import { deleteObject, putObject } from './s3-store.ts';

let store: RcloneStore;
beforeAll(async () => {
  store = await startRcloneStore();
}, 60_000);
afterAll(() => store.close());

describeSource('an S3 prefix of rclone', async () => {
  const prefix = `in box ${randomUUID()}/`;
  const place = parseS3Url(`s3://${store.bucket}/${prefix}`, 'source');
  return {
    open: (now) => new S3Source(store.client, place, now),
    openMissing: () => new S3Source(store.client, parseS3Url('s3://pristine-no-such-bucket/x/', 'source')),
    put: (name, bytes) => putObject(store, prefix + name, bytes),
    remove: (name) => deleteObject(store, prefix + name),
    close: async () => undefined,
  };
});
