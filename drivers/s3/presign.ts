import type { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { DriverError } from '../errors.ts';

/** AWS' own limit: seven days. */
const LONGEST_MS = 7 * 24 * 60 * 60 * 1000;

/**
 * A presigned URL for one request that is good until `expiresAt` (ms since the epoch), as the store's clock
 * says. It ends sooner when the credentials it is signed with do. Throws DriverError config.invalid for a
 * time that no link can have.
 */
export async function presign(
  client: S3Client,
  command: GetObjectCommand | PutObjectCommand,
  expiresAt: number,
  now: number,
): Promise<string> {
  const lifeMs = expiresAt - now;
  if (lifeMs <= 0 || lifeMs > LONGEST_MS) {
    const message = "An S3 link lives from one second to seven days: shorten the profile's deadlines";
    throw new DriverError('config.invalid', message, { retryable: false });
  }
  return getSignedUrl(client, command, {
    expiresIn: Math.ceil(lifeMs / 1000),
    signingDate: new Date(now),
  });
}
