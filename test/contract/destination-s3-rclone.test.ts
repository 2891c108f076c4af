/** The same suite on a second implementation of S3. What differs is written down in docs/stores.md. */
import { S3Destination } from '../../drivers/destination/s3.ts';
import { parseS3Url } from '../../drivers/s3/s3-url.ts';
import { describeDestination } from './describe-destination.ts';
import { startRcloneStore } from './rclone-store.ts';

describeDestination('an S3 prefix of rclone', async () => {
  const store = await startRcloneStore();
  const place = parseS3Url(`s3://${store.bucket}/out box/`, 'destination');
  return {
    open: (now) => new S3Destination(store.client, place, now ? { now } : {}),
    leftovers: store.hidden,
    close: store.close,
  };
});
