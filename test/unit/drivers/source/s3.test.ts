import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from '@jest/globals';
import { S3Source } from '../../../../drivers/source/s3.ts';
import { listAll, shown } from '../../../contract/collect.ts';
import { type Answer, type FakeStore, failure, fakeStore, listing } from '../s3/fake-store.ts';

let store: FakeStore | undefined;
afterEach(() => store?.close());

async function sourceOn(...answers: [Answer, ...Answer[]]): Promise<S3Source> {
  store = await fakeStore(...answers);
  return new S3Source(store.client, { url: 's3://bucket/in/', bucket: 'bucket', prefix: 'in/' });
}

describe('a failure', () => {
  test.each<[number, string, object]>([
    [404, 'NoSuchBucket', { code: 'source.missing', retryable: false }],
    [403, 'AccessDenied', { code: 'source.forbidden', retryable: false }],
    [403, 'SignatureDoesNotMatch', { code: 'source.forbidden', retryable: false }],
    [403, 'RequestTimeTooSkewed', { code: 'source.forbidden', message: expect.stringContaining('clocks') }],
    [301, 'PermanentRedirect', { code: 'config.invalid', message: expect.stringContaining('AWS_REGION') }],
    [400, 'AuthorizationHeaderMalformed', { code: 'config.invalid' }],
    [500, 'InternalError', { code: 'source.unavailable', retryable: true }],
    [503, 'SlowDown', { code: 'source.unavailable', retryable: true, retryAfterMs: 7000 }],
    [429, 'TooManyRequests', { code: 'source.unavailable', retryable: true }],
    [400, 'InvalidRequest', { code: 'source.unavailable', retryable: false }],
    [404, 'NoSuchThing', { code: 'source.unavailable', retryable: false }],
  ])(
    '%i %s is told for what it is by every method, and never reads as empty',
    async (status, code, wanted) => {
      const source = await sourceOn(failure(status, code, { 'retry-after': '7' }));
      for (const act of [
        () => source.check(),
        () => source.list(null, 10),
        () => source.list(Buffer.from('a'), 10),
        () => source.open(Buffer.from('a'), '"e"'),
      ]) {
        const failed = await act().then(
          () => 'no failure',
          (error: unknown) => error,
        );
        expect(failed).toMatchObject({ name: 'DriverError', ...wanted });
        expect(String(failed)).not.toContain('secret');
      }
    },
  );

  test('a connection that is cut while listing is unavailable', async () => {
    const source = await sourceOn((_, response) => response.destroy());
    await expect(source.list(null, 10)).rejects.toMatchObject({
      code: 'source.unavailable',
      retryable: true,
    });
  });

  test('a listing that is cut in the middle is unavailable, not short', async () => {
    const source = await sourceOn((_, response) => {
      response.writeHead(200, { 'content-type': 'application/xml', 'content-length': 1000 });
      response.write('<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated>');
      setImmediate(() => response.destroy());
    });
    await expect(source.list(null, 10)).rejects.toMatchObject({
      code: 'source.unavailable',
      retryable: true,
    });
  });

  test('an object that is gone or another one is told apart', async () => {
    const changed = failure(412, 'PreconditionFailed');
    const source = await sourceOn(failure(404, 'NoSuchKey'), listing([]), changed);
    await expect(source.open(Buffer.from('a'), '"e"')).rejects.toMatchObject({ code: 'source.gone' });
    await expect(source.open(Buffer.from('a'), '"e"')).rejects.toMatchObject({ code: 'source.changed' });
  });

  test('an object is not gone while the store does not let us list', async () => {
    const source = await sourceOn(failure(404, 'NoSuchKey'), failure(403, 'AccessDenied'));
    await expect(source.open(Buffer.from('a'), '"e"')).rejects.toMatchObject({ code: 'source.forbidden' });
  });

  test('an archived object is forbidden, with what to do', async () => {
    const source = await sourceOn(failure(403, 'InvalidObjectState'));
    await expect(source.open(Buffer.from('a'), '"e"')).rejects.toMatchObject({
      code: 'source.forbidden',
      message: expect.stringContaining('restore'),
    });
  });

  test('a body that is cut short fails', async () => {
    const source = await sourceOn((_, response) => {
      response.writeHead(200, { 'content-length': 1000 });
      response.write('the beginning');
      setImmediate(() => response.destroy());
    });
    const { size, body } = await source.open(Buffer.from('a'), '"e"');
    expect(size).toBe(1000);
    await expect(text(body)).rejects.toMatchObject({ code: 'source.unavailable', retryable: true });
  });

  test('a body of unsaid length is not taken for an empty one', async () => {
    const source = await sourceOn((_, response) => response.writeHead(200).end('something'));
    const { body } = await source.open(Buffer.from('a'), '"e"');
    await expect(text(body)).rejects.toMatchObject({ code: 'source.unavailable' });
  });
});

describe('a listing', () => {
  test('is asked for by key, below the prefix, in XML that can hold any key', async () => {
    const source = await sourceOn(listing(['in/b c']));
    await source.list(Buffer.from('a b'), 7);
    const query = new URL(store?.requests[0]?.split(' ')[1] ?? '', 'http://x').searchParams;
    expect(Object.fromEntries(query)).toMatchObject({
      'encoding-type': 'url',
      'max-keys': '7',
      prefix: 'in/',
      'start-after': 'in/a b',
    });
    expect(query.has('continuation-token')).toBe(false);
  });

  test('in URL encoding gives the keys’ bytes', async () => {
    const source = await sourceOn(
      listing(['in/%01', 'in/a+b%2Bc', 'in/caf%C3%A9', 'in/raw-\u00e9', 'in/%FF'], { encoding: 'url' }),
    );
    const entries = await listAll(source, 10);
    expect(shown(entries)).toEqual(
      ['\u0001', 'a b+c', 'caf\u00e9', 'raw-\u00e9']
        .map((name) => Buffer.from(name).toString('latin1'))
        .concat('\xff'),
    );
    expect(entries.at(-1)).toMatchObject({ kind: 'unreadable', reason: expect.stringContaining('UTF-8') });
  });

  test.each([
    ['out of order', ['in/b', 'in/a']],
    ['twice the same', ['in/b', 'in/b']],
    ['before the one asked for', ['in/A']],
  ])('with keys %s fails instead of skipping some', async (_, keys) => {
    const source = await sourceOn(listing(keys));
    await expect(source.list(Buffer.from('a'), 10)).rejects.toMatchObject({
      code: 'config.invalid',
      retryable: false,
    });
  });

  test('with an empty page in the middle goes on behind it', async () => {
    const source = await sourceOn(listing([], { truncated: true, token: 't' }), listing(['in/a']));
    expect(shown((await source.list(null, 10)).entries)).toEqual(['a']);
    expect(store?.requests[1]).toContain('continuation-token=t');
  });

  test('that says there is more and never gives it fails', async () => {
    const source = await sourceOn(listing([], { truncated: true, token: 't' }));
    await expect(source.list(null, 10)).rejects.toMatchObject({ code: 'config.invalid' });
  });

  test('tells keys that no URL can name, folder markers and objects without ETag as unreadable', async () => {
    const source = await sourceOn(listing(['in/a/../b', 'in/a//b', 'in/b/', 'in/c'], { etag: '' }));
    const reasons = (await listAll(source, 10)).map((entry) => entry.kind === 'unreadable' && entry.reason);
    expect(reasons).toEqual([
      expect.stringContaining('".."'),
      expect.stringContaining('empty'),
      expect.stringContaining('folder marker'),
      expect.stringContaining('ETag'),
    ]);
  });
});

describe('a link', () => {
  test.each([0, -1000, 8 * 24 * 3_600_000])('that would live %i ms is refused', async (lifeMs) => {
    const source = await sourceOn(listing([]));
    const grant = { pod: 'a-pod', expiresAt: Date.now() + lifeMs };
    await expect(source.signGet(Buffer.from('a'), grant)).rejects.toMatchObject({ code: 'config.invalid' });
  });
});
