/** The same suite on a second implementation of S3. What differs is written down in docs/stores.md. */
import { afterAll, beforeAll } from '@jest/globals';
import { describeSource } from './describe-source.ts';
import { type RcloneStore, startRcloneStore } from './rclone-store.ts';
import { s3PrefixUnderTest } from './s3-prefix.ts';

let store: RcloneStore;
beforeAll(async () => {
  store = await startRcloneStore();
}, 60_000);
afterAll(() => store.close());

describeSource('an S3 prefix of rclone', () => s3PrefixUnderTest(store));
