import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { s3Error, s3Failure } from '../s3/s3-error.ts';
import { unseenWrite } from './errors.ts';

/**
 * What a store makes of `If-None-Match: *` on a PUT. `held`: of two that create one object one wins. `ignored`:
 * the second replaces the first. `rejected`: it takes no request with that header.
 */
export type Condition = 'held' | 'ignored' | 'rejected';
export type Target = { Bucket: string; Key: string };

/** Tries of a conditional create that S3 answers with 409: another one was under way. */
const CONFLICT_TRIES = 5;

/** By client and bucket. Only single-writer mode goes by it; each scan's start looks anew. */
const KNOWN = new WeakMap<S3Client, Map<string, Promise<Condition>>>();

/**
 * Finds out by writing `probe`, an object of our own, which is gone afterwards. Throws DriverError when it can't
 * be written, or when what was written is not seen at once.
 */
export function probeCondition(client: S3Client, probe: Target): Promise<Condition> {
  const ofClient = KNOWN.get(client) ?? new Map<string, Promise<Condition>>();
  KNOWN.set(client, ofClient);
  const found = probeOnce(client, probe);
  ofClient.set(probe.Bucket, found);
  found.catch(() => {
    if (ofClient.get(probe.Bucket) === found) ofClient.delete(probe.Bucket);
  });
  return found;
}

/** What the bucket's last probe by this client has found, or a probe's result now. */
export function knownCondition(client: S3Client, probe: Target): Promise<Condition> {
  return KNOWN.get(client)?.get(probe.Bucket) ?? probeCondition(client, probe);
}

/** Creates an object under the condition, 409 being tried again. false: there is one. Throws the SDK's errors. */
export async function createIfAbsent(client: S3Client, what: PutObjectCommandInput): Promise<boolean> {
  const command = new PutObjectCommand({ ...what, IfNoneMatch: '*' });
  for (let tries = 1; ; tries += 1) {
    try {
      await client.send(command);
      return true;
    } catch (error) {
      const { status } = s3Failure(error);
      if (status === 412) return false;
      const passing = status === 409 && s3Error('destination', error).retryable;
      if (!passing || tries === CONFLICT_TRIES) throw error;
      await sleep(50 * 2 ** tries);
    }
  }
}

/**
 * The same by a look and a write, for a store without the condition and a single writer: of two that look at the
 * same moment the later replaces the other. Throws the SDK's errors.
 */
export async function createAlone(
  client: S3Client,
  what: PutObjectCommandInput,
  condition: 'ignored' | 'rejected',
): Promise<boolean> {
  if (await isThere(client, what)) return false;
  if (condition === 'ignored') return createIfAbsent(client, what);
  await client.send(new PutObjectCommand(what));
  return true;
}

async function probeOnce(client: S3Client, probe: Target): Promise<Condition> {
  const Body = Buffer.from('probe');
  const what = { ...probe, Body, ContentLength: Body.length };
  const remove = () => client.send(new DeleteObjectCommand(probe));
  try {
    const condition = await watchTwoWrites(client, what);
    // A store that is late to show what it holds would let a single writer meet itself.
    if (condition !== 'held' && !(await isThere(client, probe))) throw unseenWrite();
    await remove();
    return condition;
  } catch (error) {
    await remove().catch(() => undefined);
    throw s3Error('destination', error);
  }
}

async function watchTwoWrites(client: S3Client, what: PutObjectCommandInput): Promise<Condition> {
  const first = await createIfAbsent(client, what).catch((error) => {
    // Some stores say 400 to a header that they don't know; S3's own word for it is 501.
    if ([400, 501].includes(s3Failure(error).status ?? 0)) return false;
    throw error;
  });
  if (first) return (await createIfAbsent(client, what)) ? 'ignored' : 'held';
  // Only if the same write is taken without the header was it the header.
  await client.send(new PutObjectCommand(what));
  return 'rejected';
}

async function isThere(client: S3Client, { Bucket, Key }: PutObjectCommandInput): Promise<boolean> {
  try {
    await client.send(new HeadObjectCommand({ Bucket, Key }));
    return true;
  } catch (error) {
    // HEAD has no body to say which thing is missing; if it is the bucket, the write says so.
    if (s3Failure(error).status === 404) return false;
    throw error;
  }
}
