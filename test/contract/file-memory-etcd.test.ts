import { expect, test } from '@jest/globals';
import { createEtcdFileMemory } from '../../drivers/etcd/file-memory.ts';
import { etcdKeys } from '../../drivers/etcd/keys.ts';
import { placeHash } from '../../drivers/file-note.ts';
import { nameHash } from '../../drivers/seen-mark.ts';
import { sha256 } from './contents.ts';
import { erase, overwrite, rawKeys, texts, useEtcdIndex } from './etcd-index.ts';

const on = useEtcdIndex();
const DAY = 24 * 3600 * 1000;
const file = { name: Buffer.from('report.pdf'), version: 'v1' };
const place = () => ({ source: 's3://in/finance/', destination: 's3://out/', profile: on.profile });
const memoryAt = (now: number, periodSeconds = (10 * DAY) / 1000) =>
  createEtcdFileMemory(on.etcd, { prefix: on.prefix, index: on.index, periodSeconds, now: () => now });
const keysAt = (period: number) => etcdKeys(on.prefix).files(on.profile, placeHash(place()), period);
const knows = async (now: number) => (await memoryAt(now).recall(place(), [file]))[0] !== null;
const all = () => rawKeys(on, `${on.prefix}/files/`);

test('what is asked for is kept on, period by period, each under one lease', async () => {
  const before = await on.own.leases();
  const notes = ['report.pdf', 'other'].map((name) => ({
    ...{ name: Buffer.from(name), version: 'v1' },
    sha256: sha256(),
  }));
  await memoryAt(5 * DAY).remember(place(), notes);
  expect(new Set((await all()).map(({ lease }) => lease)).size).toBe(1);
  expect(await on.own.leases()).toBe(before + 1);
  expect(await knows(15 * DAY)).toBe(true);
  expect(await rawKeys(on, keysAt(1).files)).toHaveLength(1);
  expect(await on.own.leases()).toBe(before + 2);
  await erase(on, keysAt(0).files);
  expect(await knows(25 * DAY)).toBe(true);
  expect(await knows(45 * DAY)).toBe(false);
});

test('a period runs out as a whole', async () => {
  const before = await on.own.leases();
  await memoryAt(0, 1).remember(place(), [{ ...file, sha256: sha256() }]);
  const since = Date.now();
  while ((await on.own.leases()) > before) {
    expect(Date.now() - since).toBeLessThan(60_000);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(await all()).toEqual([]);
});

test('asking about what nobody noted leaves nothing behind, and no name or place lies in etcd', async () => {
  expect(await knows(5 * DAY)).toBe(false);
  expect(await all()).toEqual([]);
  await memoryAt(5 * DAY).remember(place(), [{ ...file, sha256: sha256() }]);
  expect(texts(await all()).join()).not.toMatch(/report|finance|out/);
});

test('a name that comes twice in one page has its last note', async () => {
  const [one, other] = [sha256(), sha256()];
  await memoryAt(5 * DAY).remember(place(), [
    { ...file, sha256: one },
    { ...file, version: 'v2', sha256: other },
  ]);
  const page = [file, { ...file, version: 'v2' }];
  expect(await memoryAt(5 * DAY).recall(place(), page)).toEqual([null, { sha256: other, record: null }]);
});

test('what can not be read there is nothing known', async () => {
  const key = keysAt(0).files + nameHash(file.name).toString('base64url');
  for (const garbled of ['', 'x', 'x'.repeat(41), 'x'.repeat(50)]) {
    await overwrite(on, key, garbled);
    expect(await knows(5 * DAY)).toBe(false);
  }
});

test('something else in its place is an error', async () => {
  await overwrite(on, keysAt(0).head, 'x');
  const note = { ...file, sha256: sha256() };
  await expect(memoryAt(5 * DAY).remember(place(), [note])).rejects.toMatchObject({
    code: 'index.invalid',
    retryable: false,
  });
});
