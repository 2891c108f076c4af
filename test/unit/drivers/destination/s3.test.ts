import { Readable } from 'node:stream';
import { afterEach, describe, expect, test } from '@jest/globals';
import { S3Destination } from '../../../../drivers/destination/s3.ts';
import { type Answer, type FakeStore, failure, fakeStore } from '../s3/fake-store.ts';

let store: FakeStore | undefined;
afterEach(() => store?.close());

async function destinationOn(...answers: [Answer, ...Answer[]]): Promise<S3Destination> {
  store = await fakeStore(...answers);
  return new S3Destination(store.client, { url: 's3://bucket/', bucket: 'bucket', prefix: '' });
}

const done: Answer = (_, response) => response.writeHead(200, { etag: '"e"' }).end();

describe('a failure', () => {
  test.each<[number, string, object]>([
    [404, 'NoSuchBucket', { code: 'destination.missing', retryable: false }],
    [403, 'AccessDenied', { code: 'destination.forbidden', retryable: false }],
    [500, 'InternalError', { code: 'destination.unavailable', retryable: true }],
    [503, 'SlowDown', { code: 'destination.unavailable', retryable: true }],
    [507, 'InsufficientStorage', { code: 'destination.full', retryable: true }],
    [403, 'QuotaExceeded', { code: 'destination.full', retryable: true }],
    [400, 'KeyTooLongError', { code: 'destination.name-unsupported', retryable: false }],
    [409, 'ObjectParentIsFile', { code: 'destination.name-unsupported', retryable: false }],
  ])('%i %s is told for what it is by every method', async (status, code, wanted) => {
    const destination = await destinationOn(failure(status, code));
    for (const act of [
      () => destination.read('content/a'),
      () => destination.write('content/a', 'x'),
      () => destination.write('content/a', Readable.from(['x'])),
      () => destination.create('content/a', 'x'),
      () => destination.copy('content/a', 'tree/a', { size: 1, sha256: '0'.repeat(64) }),
      () => destination.remove('content/a'),
      () => Array.fromAsync(destination.list('content/')),
    ]) {
      await expect(act()).rejects.toMatchObject({ name: 'DriverError', ...wanted });
    }
  });
});

describe('a store', () => {
  test('that cannot be written is told as such, whatever the removal of the probe says', async () => {
    const destination = await destinationOn(failure(403, 'AccessDenied'), failure(500, 'InternalError'));
    await expect(destination.check()).rejects.toMatchObject({ code: 'destination.forbidden' });
  });
});

describe('a conditional create', () => {
  test('that meets another one under way is tried again', async () => {
    const conflict = failure(409, 'ConditionalRequestConflict');
    expect(await (await destinationOn(conflict, conflict, done)).create('content/a', 'x')).toBe(true);
    await store?.close();
    const lost = await destinationOn(conflict, failure(412, 'PreconditionFailed'));
    expect(await lost.create('content/a', 'x')).toBe(false);
  });

  test('that meets one for ever is unavailable', async () => {
    const destination = await destinationOn(failure(409, 'ConditionalRequestConflict'));
    await expect(destination.create('content/a', 'x')).rejects.toMatchObject({
      code: 'destination.unavailable',
      retryable: true,
    });
    expect(store?.requests).toHaveLength(5);
  });
});
