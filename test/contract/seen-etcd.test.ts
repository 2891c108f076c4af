import { expect, test } from '@jest/globals';
import { createEtcdSeen } from '../../drivers/etcd/seen.ts';
import { erase, overwrite, rawKeys, texts, useEtcdIndex } from './etcd-index.ts';

const on = useEtcdIndex();
const files = [{ name: Buffer.from('report.pdf'), version: 'v1' }];
const seenBy = (keepSeconds?: number) =>
  createEtcdSeen(on.etcd, { prefix: on.prefix, ...(keepSeconds !== undefined && { keepSeconds }) });

test('all that a scan marked has one lease, which runs out when it falls silent', async () => {
  const before = await on.own.leases();
  const seen = seenBy(2);
  for (let i = 0; i < 3; i++) await seen.mark('scan-1', [{ name: Buffer.from(`${i}`), version: 'v1' }]);
  const held = await rawKeys(on, `${on.prefix}/`);
  expect(held).toHaveLength(4);
  expect(new Set(held.map(({ lease }) => lease)).size).toBe(1);
  expect(await on.own.leases()).toBe(before + 1);
  // Asking keeps it.
  for (let round = 0; round < 30; round++) {
    expect(await seen.seen('scan-1', [{ name: Buffer.from('0'), version: 'v1' }])).toEqual([{}]);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  const since = Date.now();
  while ((await on.own.leases()) > before) {
    expect(Date.now() - since).toBeLessThan(60_000);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(await rawKeys(on, `${on.prefix}/`)).toEqual([]);
  expect(await seen.seen('scan-1', [{ name: Buffer.from('0'), version: 'v1' }])).toEqual([null]);
  await seen.mark('scan-1', files);
  expect(await seen.seen('scan-1', files)).toEqual([{}]);
});

test('a scan that is forgotten leaves no key and no lease', async () => {
  const before = await on.own.leases();
  const seen = seenBy();
  const page = Array.from({ length: 2_300 }, (_, i) => ({ name: Buffer.from(`${i}`), version: 'v1' }));
  await seen.mark('scan-1', page);
  await seen.forget('scan-1');
  expect(await rawKeys(on, `${on.prefix}/`)).toEqual([]);
  expect(await on.own.leases()).toBe(before);
});

test('many that begin one scan at once share one lease', async () => {
  const before = await on.own.leases();
  const pages = Array.from({ length: 10 }, (_, i) => [{ name: Buffer.from(`${i}`), version: 'v1' }]);
  await Promise.all(pages.map((page) => seenBy().mark('scan-1', page)));
  expect(await on.own.leases()).toBe(before + 1);
  expect(await seenBy().seen('scan-1', pages.flat())).toEqual(pages.map(() => ({})));
});

test('asking about an unknown scan leaves nothing behind, and no name lies in etcd', async () => {
  const seen = seenBy();
  await seen.seen('scan-1', files);
  expect(await rawKeys(on, `${on.prefix}/`)).toEqual([]);
  await seen.mark('scan-1', files);
  expect(texts(await rawKeys(on, `${on.prefix}/`)).join()).not.toContain('report');
});

test('a name that comes twice in one page has its last version', async () => {
  await seenBy().mark('scan-1', [...files, { name: Buffer.from('report.pdf'), version: 'v2' }]);
  expect(await seenBy().seen('scan-1', files)).toEqual([null]);
  expect(await seenBy().seen('scan-1', [{ name: Buffer.from('report.pdf'), version: 'v2' }])).toEqual([{}]);
});

test('something else in its place is an error, not unseen', async () => {
  await seenBy().mark('scan-1', files);
  const place = `${on.prefix}/seen/scan-1/scan`;
  await erase(on, place);
  await overwrite(on, place, 'x');
  const invalid = { code: 'index.invalid', retryable: false };
  await expect(seenBy().seen('scan-1', files)).rejects.toMatchObject(invalid);
  await expect(seenBy().mark('scan-1', files)).rejects.toMatchObject(invalid);
});
