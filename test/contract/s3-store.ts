/** S3 for tests: the store that `make up` started, a bucket of the test's own. */
import { randomBytes } from 'node:crypto';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { createS3Client, type S3Settings } from '../../drivers/s3/client.ts';
import { stackVariable } from './stack.ts';

export type TestStore = { client: S3Client; bucket: string; close(): Promise<void> };

/** Fails where there is no store: a test that needs one is not skipped. */
export async function openTestStore(): Promise<TestStore> {
  const client = createS3Client(testStoreSettings());
  const bucket = `pristine-test-${randomBytes(8).toString('hex')}`;
  try {
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
  } catch (cause) {
    throw new Error('No S3 store answers at AWS_ENDPOINT_URL_S3: run `make up` first', { cause });
  }
  return {
    client,
    bucket,
    async close() {
      for (let empty = false; !empty; ) {
        const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
        await Promise.all(
          Contents.map(({ Key }) => client.send(new DeleteObjectCommand({ Bucket: bucket, Key }))),
        );
        empty = Contents.length === 0;
      }
      await client.send(new DeleteBucketCommand({ Bucket: bucket }));
      client.destroy();
    },
  };
}

/** Where the store is and the keys to it: from the environment, else from .pristine/env. */
export function testStoreSettings(): S3Settings & { endpoint: string } {
  const endpoint = stackVariable('AWS_ENDPOINT_URL_S3');
  const credentials = {
    accessKeyId: stackVariable('AWS_ACCESS_KEY_ID'),
    secretAccessKey: stackVariable('AWS_SECRET_ACCESS_KEY'),
  };
  return { endpoint, region: stackVariable('AWS_REGION'), forcePathStyle: true, credentials };
}

export async function putObject(
  { client, bucket }: TestStore,
  key: string,
  bytes: string | Uint8Array,
): Promise<void> {
  const Body = Buffer.from(bytes);
  const command = { Bucket: bucket, Key: key, Body, ContentLength: Body.length };
  await client.send(new PutObjectCommand(command));
}

export async function deleteObject({ client, bucket }: TestStore, key: string): Promise<void> {
  await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
}
