import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { builtFiles } from './built.ts';
import { answersHttp } from './health.ts';
import type { Part } from './part.ts';
import type { Stack } from './stack.ts';

// No bucket's name starts with an underscore.
const healthPath = '/_health';

/** The region that signatures name. */
export const s3Region = 'us-east-1';

/** The buckets that the examples of the documentation use. */
export const exampleBuckets = ['inbox', 'clean'] as const;

/** Where clients find S3: an address that pods reach too. */
export function s3Endpoint({ ports }: Pick<Stack, 'ports'>, host: string): string {
  return `http://${host}:${ports.S3}`;
}

/** An S3 server over a folder: a bucket is a folder, an object a file. */
export function s3(stack: Stack, host: string): Part {
  const { layout, ports, versions, secrets } = stack;
  const folder = join(layout.data, 's3');
  mkdirSync(folder, { recursive: true });
  return {
    name: 's3',
    command: builtFiles(layout, versions).versitygw,
    args: [
      '--port',
      `${host}:${ports.S3}`,
      '--region',
      s3Region,
      '--health',
      healthPath,
      '--quiet',
      'posix',
      folder,
    ],
    env: { ROOT_ACCESS_KEY_ID: secrets.s3AccessKey, ROOT_SECRET_ACCESS_KEY: secrets.s3SecretKey },
    listens: [{ host, port: 'S3' }],
    healthy: () => answersHttp(`${s3Endpoint(stack, host)}${healthPath}`),
    readyWithinMs: 30_000,
    stopWithinMs: 20_000,
  };
}

/** Makes the example buckets that are missing. */
export async function ensureBuckets({ layout, ports, secrets }: Stack, host: string): Promise<void> {
  const missing = exampleBuckets.filter((bucket) => !existsSync(join(layout.data, 's3', bucket)));
  if (missing.length === 0) return;
  // Loaded only when it is needed: it takes a noticeable part of a second.
  const { CreateBucketCommand, S3Client } = await import('@aws-sdk/client-s3');
  const client = new S3Client({
    endpoint: s3Endpoint({ ports }, host),
    region: s3Region,
    forcePathStyle: true,
    credentials: { accessKeyId: secrets.s3AccessKey, secretAccessKey: secrets.s3SecretKey },
  });
  for (const bucket of missing) await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
}
