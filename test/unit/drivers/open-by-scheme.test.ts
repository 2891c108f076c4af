import { S3Client } from '@aws-sdk/client-s3';
import { describe, expect, test } from '@jest/globals';
import { openDestination } from '../../../drivers/destination/open-destination.ts';
import type { LinkSigner } from '../../../drivers/ports.ts';
import { openSource } from '../../../drivers/source/open-source.ts';

const signed: Parameters<LinkSigner['sign']>[0][] = [];
const places = {
  roots: ['/data/in', '/data/in/inner/', '/srv'],
  signer: {
    sign(link: Parameters<LinkSigner['sign']>[0]) {
      signed.push(link);
      return 'http://files.invalid/';
    },
  },
  s3: new S3Client({ region: 'us-east-1' }),
};
const grant = { pod: 'a-pod', expiresAt: 1, maxBytes: 1 };

describe.each([
  ['source', (url: string) => openSource(url, places)],
  ['destination', (url: string) => openDestination(url, places)],
] as const)('the URL of a %s', (side, open) => {
  test.each([
    ['file:///data/in', 'file:///data/in'],
    ['file:///data/in/', 'file:///data/in'],
    ['file:///data/in//a/./b/../c/', 'file:///data/in/a/c'],
    ['file:///data/in/with space', 'file:///data/in/with%20space'],
    ['file:///data/in/with%20space', 'file:///data/in/with%20space'],
    ['file:///data/in/%C3%BC%3F%23', 'file:///data/in/%C3%BC%3F%23'],
    ['s3://bucket', 's3://bucket/'],
    ['s3://bucket/', 's3://bucket/'],
    ['s3://my.bucket-1/a/b', 's3://my.bucket-1/a/b/'],
    ['s3://bucket/with space/%20?#\n/', 's3://bucket/with space/%20?#\n/'],
  ])('%j is %j', (url, canonical) => {
    expect(open(url).url).toBe(canonical);
    expect(open(canonical).url).toBe(canonical);
  });

  test.each([
    '',
    '/data/in',
    'data/in',
    'file:/data/in',
    'FILE:///data/in',
    'http://host/data',
    'ftp://host/',
    'constructor://x',
    '__proto__://x',
    ' file:///data/in',
  ])('%j names no driver: the answer says which there are', (url) => {
    expect(() => open(url)).toThrow(
      expect.objectContaining({
        code: 'config.invalid',
        retryable: false,
        message: expect.stringMatching(new RegExp(`${side}.*file://.*s3://`)),
      }),
    );
  });

  test.each([
    'file://',
    'file://host/data/in',
    'file:///data/in?x',
    'file:///data/in#x',
    'file:///data/in/a%2Fb',
    'file:///data/in/%00',
    'file:///data/in/%ff',
    'file:///data/in/a\nb',
    'file:///data/in\\a',
    `file:///data/in/${'x'.repeat(256)}`,
    's3://',
    's3:///prefix',
    's3://B/x',
    's3://bucket//x',
    's3://bucket/a/../b',
    's3://bucket/./a',
  ])('%j is invalid or forbidden', (url) => {
    expect(() => open(url)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^config\.invalid$|forbidden$/) }),
    );
  });

  test.each([
    'file:///',
    'file:///data',
    'file:///data/inside',
    'file:///data/in/../secret',
    'file:///data/in/%2e%2e/secret',
    'file:///etc',
  ])('%j is outside the allowed folders: the answer names the setting', (url) => {
    expect(() => open(url)).toThrow(
      expect.objectContaining({
        code: `${side}.forbidden`,
        message: expect.stringMatching(/PRISTINE_FILE_ROOTS.*\/data\/in/),
      }),
    );
  });
});

describe('links', () => {
  test('lead below the innermost allowed folder, by bytes', async () => {
    signed.length = 0;
    const name = Buffer.from([0x61, 0xff]);
    await openSource('file:///data/in/inner/x y', places).signGet(name, grant);
    await openSource('file:///srv', places).signGet(name, grant);
    await openDestination('file:///data/in/o', places).signPut('content/a', grant);
    expect(
      signed.map(({ method, root, path }) => [method, root, Buffer.from(path).toString('latin1')]),
    ).toEqual([
      ['GET', '/data/in/inner', 'x y/a\xff'],
      ['GET', '/srv', 'a\xff'],
      ['PUT', '/data/in', 'o/content/a'],
    ]);
    expect(signed[0]).toMatchObject({ pod: 'a-pod', expiresAt: 1 });
    expect(signed[2]).toMatchObject({ pod: 'a-pod', expiresAt: 1, maxBytes: 1 });
  });
});

test('without allowed folders none is', () => {
  const none = { ...places, roots: [] };
  expect(() => openSource('file:///data/in', none)).toThrow(/PRISTINE_FILE_ROOTS \(it is empty\)/);
});
