import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createS3Client, type S3Settings } from '../../drivers/s3/client.ts';
import { parseS3Url } from '../../drivers/s3/s3-url.ts';
import { S3Source } from '../../drivers/source/s3.ts';
import { listAll, shown } from './collect.ts';
import { describeSource } from './describe-source.ts';
import { s3PrefixUnderTest } from './s3-prefix.ts';
import { deleteObject, openTestStore, putObject, type TestStore, testStoreSettings } from './s3-store.ts';

let store: TestStore;
beforeAll(async () => {
  store = await openTestStore();
});
afterAll(() => store.close(), 60_000);

describeSource('an S3 prefix', () => s3PrefixUnderTest(store));

describe('an S3 prefix', () => {
  const sourceAt = (prefix: string, settings: Partial<S3Settings> = {}) =>
    new S3Source(
      createS3Client({ ...testStoreSettings(), ...settings }),
      parseS3Url(`s3://${store.bucket}/${prefix}`, 'source'),
    );

  test('tells a folder marker as unreadable, its own it does not tell', async () => {
    for (const key of ['marked/', 'marked/sub/', 'marked/sub/file']) await putObject(store, key, '');
    const entries = await listAll(sourceAt('marked'), 1);
    expect(shown(entries)).toEqual(['sub/', 'sub/file']);
    expect(entries[0]).toMatchObject({
      kind: 'unreadable',
      reason: expect.stringContaining('folder marker'),
    });
    expect(entries[1]).toMatchObject({ kind: 'file' });
  });

  test('skips nothing where the store garbles a key that XML cannot hold', async () => {
    const keys = ['0', 'a\u0001', 'a\u0002', 'ab', 'ac\u0001', 'ad', 'ad\u0001'];
    for (const key of keys) await putObject(store, `garbled/${key}`, 'x');
    const source = sourceAt('garbled');
    for (const limit of [1, 2, 3, 4, 10]) {
      // A run of garbled keys is not cut.
      expect((await source.list(null, limit)).entries.length).toBeLessThanOrEqual(limit);
      const entries = await listAll(source, limit);
      expect(entries.filter(({ kind }) => kind === 'file').map(({ name }) => `${name}`)).toEqual([
        '0',
        'ab',
        'ad',
      ]);
      expect(entries).toHaveLength(keys.length);
    }
    for (const key of keys) await deleteObject(store, `garbled/${key}`);
  });

  test('with wrong keys is forbidden, with the store away unavailable, and never empty', async () => {
    const secretAccessKey = 'wrong'.repeat(8);
    const wrongSecret = { ...testStoreSettings().credentials, accessKeyId: 'nobody', secretAccessKey };
    const forbidden = { code: 'source.forbidden', retryable: false };
    const unavailable = { code: 'source.unavailable', retryable: true };
    for (const [settings, wanted] of [
      [{ credentials: wrongSecret }, forbidden],
      [{ endpoint: 'http://127.0.0.1:1' }, unavailable],
    ] as const) {
      const source = sourceAt('anything', settings);
      await expect(source.check()).rejects.toMatchObject(wanted);
      await expect(source.list(null, 10)).rejects.toMatchObject(wanted);
      await expect(source.open(Buffer.from('a'), '"etag"')).rejects.toMatchObject(wanted);
    }
  });

  test('lists more than the store gives at once', async () => {
    const names = Array.from({ length: 1100 }, (_, at) => `f${at}`);
    for (let at = 0; at < names.length; at += 50) {
      await Promise.all(names.slice(at, at + 50).map((name) => putObject(store, `many/${name}`, '')));
    }
    expect(shown(await listAll(sourceAt('many'), 5000))).toEqual(names.sort());
  }, 60_000);
});
