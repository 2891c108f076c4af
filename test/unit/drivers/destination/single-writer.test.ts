/** Stores without a conditional create: refused, unless the operator says that there is one writer only. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { S3Destination } from '../../../../drivers/destination/s3.ts';
import { readText } from '../../../contract/collect.ts';
import { recordingLog } from '../kubernetes/recording-log.ts';
import { type SmallStore, smallStore } from '../s3/small-store.ts';

let store: SmallStore;
afterEach(() => store.close());

const place = { url: 's3://bucket/', bucket: 'bucket', prefix: '' };
const grant = () => ({ pod: 'a-pod', maxBytes: 10, expiresAt: Date.now() + 60_000 });
const refused = { name: 'DriverError', code: 'destination.no-conditional-create', retryable: false };
const signedHeaders = (link: string) => new URL(link).searchParams.get('X-Amz-SignedHeaders');

describe.each([
  ['that ignores the condition', 'ignored', /ignores/],
  ['that does not know the condition', 501, /rejects/],
  ['that finds the condition invalid', 400, /rejects/],
] as const)('a store %s', (_, condition, words) => {
  test('is refused, with what to set and what it costs, and nothing of the probe stays', async () => {
    store = await smallStore(condition);
    const destination = new S3Destination(store.client, place);
    await expect(destination.check()).rejects.toMatchObject(refused);
    await expect(destination.check()).rejects.toThrow(words);
    await expect(destination.check()).rejects.toThrow(/PRISTINE_SINGLE_WRITER=true.*replaced.*overwrite/);
    expect(store.objects.size).toBe(0);
  });

  test('is taken by a single writer, loudly, who still creates once', async () => {
    store = await smallStore(condition);
    const log = recordingLog();
    const destination = new S3Destination(store.client, place, { singleWriter: true, log });
    await destination.check();
    expect(log.events).toEqual(['destination.single_writer']);
    expect(store.objects.size).toBe(0);
    expect(await destination.create('content/a/receipt.json', 'first')).toBe(true);
    expect(await destination.create('content/a/receipt.json', 'second')).toBe(false);
    expect(await readText(destination, 'content/a/receipt.json')).toBe('first');
  });

  test('is known to a worker that has not checked it', async () => {
    store = await smallStore(condition);
    const destination = new S3Destination(store.client, place, { singleWriter: true });
    expect(await destination.create('content/a', 'first')).toBe(true);
    expect(await destination.create('content/a', 'second')).toBe(false);
    expect([...store.objects]).toEqual([['content/a', 'first']]);
  });

  test('is not for a single writer either when it does not show what was written', async () => {
    store = await smallStore(condition, true);
    const destination = new S3Destination(store.client, place, { singleWriter: true });
    await expect(destination.check()).rejects.toMatchObject(refused);
    await expect(destination.create('content/a', 'x')).rejects.toMatchObject(refused);
    expect(store.objects.size).toBe(0);
  });
});

describe('a link to upload, in single-writer mode', () => {
  test.each([
    ['held', 'host;if-none-match'],
    ['ignored', 'host;if-none-match'],
    [501, 'host'],
  ] as const)('to a store whose condition is %s signs %s', async (condition, signed) => {
    store = await smallStore(condition);
    const destination = new S3Destination(store.client, place, { singleWriter: true });
    expect(signedHeaders(await destination.signPut('content/a', grant()))).toBe(signed);
  });

  test('keeps the condition where the mode is not asked for, whatever the store does with it', async () => {
    store = await smallStore(501);
    const destination = new S3Destination(store.client, place);
    expect(signedHeaders(await destination.signPut('content/a', grant()))).toBe('host;if-none-match');
    await expect(destination.create('content/a', 'x')).rejects.toMatchObject(refused);
    expect(store.objects.size).toBe(0);
  });
});

test('a store that holds the condition is used with it, also by a single writer, and without a word', async () => {
  store = await smallStore('held');
  const log = recordingLog();
  const destination = new S3Destination(store.client, place, { singleWriter: true, log });
  await destination.check();
  expect(log.events).toEqual([]);
  store.conditions.length = 0;
  const won = await Promise.all(['a', 'b', 'c'].map((body) => destination.create('content/a', body)));
  expect(won.filter(Boolean)).toHaveLength(1);
  expect(store.conditions).toEqual([true, true, true]);
});

test('a store that learns the condition is used with it from the next check on', async () => {
  store = await smallStore('ignored');
  const destination = new S3Destination(store.client, place, { singleWriter: true });
  await destination.check();
  store.behave('held');
  await destination.check();
  store.requests.length = 0;
  expect(await destination.create('content/a', 'x')).toBe(true);
  expect(store.requests.map((request) => request.split(' ')[0])).toEqual(['PUT']);
});
