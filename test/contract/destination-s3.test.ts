import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { ListMultipartUploadsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { S3Destination, type S3DestinationOptions } from '../../drivers/destination/s3.ts';
import { createS3Client, type S3Settings } from '../../drivers/s3/client.ts';
import { parseS3Url } from '../../drivers/s3/s3-url.ts';
import { describeDestination } from './describe-destination.ts';
import { openTestStore, type TestStore, testStoreSettings } from './s3-store.ts';

describeDestination('an S3 prefix', async () => {
  const store = await openTestStore();
  const place = parseS3Url(`s3://${store.bucket}/out box/`, 'destination');
  return {
    open: (now) => new S3Destination(store.client, place, now ? { now } : {}),
    async leftovers() {
      const command = new ListMultipartUploadsCommand({ Bucket: store.bucket });
      const { Uploads = [] } = await store.client.send(command);
      return Uploads.map(({ Key = '' }) => Key);
    },
    close: store.close,
  };
});

describe('an S3 prefix', () => {
  let store: TestStore;
  beforeAll(async () => {
    store = await openTestStore();
  });
  afterAll(() => store.close());
  const destinationAt = (options: S3DestinationOptions = {}, settings: Partial<S3Settings> = {}) =>
    new S3Destination(
      createS3Client({ ...testStoreSettings(), ...settings }),
      parseS3Url(`s3://${store.bucket}/out`, 'destination'),
      options,
    );

  test('a link to upload without the condition is refused', async () => {
    const link = await destinationAt().signPut('content/a/b', {
      pod: 'a-pod',
      maxBytes: 10,
      expiresAt: Date.now() + 60_000,
    });
    expect(new URL(link).searchParams.get('X-Amz-SignedHeaders')).toBe('host;if-none-match');
    expect(link).not.toMatch(/checksum/i);
    expect((await fetch(link, { method: 'PUT', body: 'x' })).status).toBe(403);
    expect(await destinationAt().read('content/a/b')).toBeNull();
  });

  test('content too large for one request is copied in parts, and only if it is right', async () => {
    const destination = destinationAt({ singlePutBytes: 1024 ** 2 });
    const body = Buffer.alloc(9 * 1024 ** 2, 'm');
    const digest = await destination.write('content/large', body);
    await destination.copy('content/large', 'tree/large', digest);
    const copied = await destination.read('tree/large');
    expect((await buffer(copied?.body ?? Readable.from([]))).equals(body)).toBe(true);

    const other = { ...digest, sha256: digest.sha256.replace(/^./, (first) => (first === '0' ? '1' : '0')) };
    await expect(destination.copy('content/large', 'tree/other', other)).rejects.toMatchObject({
      code: 'content.mismatch',
    });
    expect(await destination.read('tree/other')).toBeNull();
    const { Uploads = [] } = await store.client.send(
      new ListMultipartUploadsCommand({ Bucket: store.bucket }),
    );
    expect(Uploads).toEqual([]);
  });

  test('the store itself refuses other bytes than those copied', async () => {
    const ChecksumSHA256 = createHash('sha256').update('right').digest('base64');
    const command = { Bucket: store.bucket, Key: 'out/tree/x', Body: Buffer.from('wrong'), ChecksumSHA256 };
    await expect(store.client.send(new PutObjectCommand(command))).rejects.toMatchObject({
      name: 'BadDigest',
    });
    expect(await destinationAt().read('tree/x')).toBeNull();
  });

  test('a file where a folder is, and the other way round, are names it cannot hold', async () => {
    const destination = destinationAt();
    const unsupported = { code: 'destination.name-unsupported', retryable: false };
    await destination.write('tree/file', 'x');
    await expect(destination.write('tree/file/below', 'x')).rejects.toMatchObject(unsupported);
    await destination.write('tree/folder/file', 'x');
    await expect(destination.write('tree/folder', 'x')).rejects.toMatchObject(unsupported);
    await expect(destination.write('tree/folder', Readable.from(['x']))).rejects.toMatchObject(unsupported);
  });

  test('a name that is not UTF-8 is one it cannot hold', async () => {
    const key = Buffer.concat([Buffer.from('tree/'), Buffer.from([0xff, 0xfe])]);
    await expect(destinationAt().write(key, 'x')).rejects.toMatchObject({
      code: 'destination.name-unsupported',
    });
    expect(await destinationAt().read(key)).toBeNull();
  });

  test('a missing bucket, wrong keys and a store that is away are told apart, and never empty', async () => {
    const missing = new S3Destination(
      store.client,
      parseS3Url('s3://pristine-no-such-bucket/', 'destination'),
    );
    const credentials = { accessKeyId: 'nobody', secretAccessKey: 'wrong'.repeat(8) };
    const cases: [S3Destination, object][] = [
      [missing, { code: 'destination.missing', retryable: false }],
      [destinationAt({}, { credentials }), { code: 'destination.forbidden', retryable: false }],
      [
        destinationAt({}, { endpoint: 'http://127.0.0.1:1' }),
        { code: 'destination.unavailable', retryable: true },
      ],
    ];
    for (const [destination, wanted] of cases) {
      await expect(destination.check()).rejects.toMatchObject(wanted);
      await expect(destination.read('content/x')).rejects.toMatchObject(wanted);
      await expect(destination.write('content/x', 'x')).rejects.toMatchObject(wanted);
      await expect(destination.write('content/x', Readable.from(['x']))).rejects.toMatchObject(wanted);
      await expect(destination.remove('content/x')).rejects.toMatchObject(wanted);
      await expect(Array.fromAsync(destination.list('content/'))).rejects.toMatchObject(wanted);
    }
  });
});
