import { paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';

/**
 * Every key in the folder `s3://bucket/prefix/`, relative to it; the prefix is the keys' own text. Written without
 * the source driver, as walkSource is.
 */
export async function walkBucket(client: S3Client, url: string): Promise<Buffer[]> {
  const [bucket = '', ...folders] = url.slice('s3://'.length).split('/');
  const prefix = folders.join('/').replace(/([^/])$/, '$1/');
  const found: Buffer[] = [];
  for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix })) {
    for (const { Key } of page.Contents ?? []) found.push(Buffer.from((Key ?? '').slice(prefix.length)));
  }
  return found;
}
