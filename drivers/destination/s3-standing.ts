import { HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { s3Error, s3Failure } from '../s3/s3-error.ts';
import type { Target } from './s3-condition.ts';

const HEADS_AT_ONCE = 16;

/** Of each object, in order, its ETag and size as one text; `absent`; or null where there is no target or no ETag. */
export async function s3Standing(
  client: S3Client,
  targets: readonly (Target | null)[],
): Promise<(string | null)[]> {
  const answers = new Array<string | null>(targets.length).fill(null);
  const places = targets.entries();
  const ask = async () => {
    for (const [at, target] of places) if (target) answers[at] = await versionAt(client, target);
  };
  await Promise.all(Array.from({ length: HEADS_AT_ONCE }, ask));
  return answers;
}

async function versionAt(client: S3Client, target: Target): Promise<string | null> {
  try {
    const { ETag, ContentLength } = await client.send(new HeadObjectCommand(target));
    return ETag === undefined ? null : `${ETag} ${ContentLength}`;
  } catch (error) {
    // The answer to a HEAD has no body, and so no code that tells a missing bucket from a missing key.
    if (s3Failure(error).status === 404) return 'absent';
    throw s3Error('destination', error);
  }
}
