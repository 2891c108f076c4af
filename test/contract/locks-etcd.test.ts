import { expect, test } from '@jest/globals';
import { createEtcdLocks } from '../../drivers/etcd/locks.ts';
import { MINUTE, rebuilt, sha256 } from './contents.ts';
import { add, overwrite, rawKeys, useEtcdIndex } from './etcd-index.ts';

const on = useEtcdIndex();
const content = () => ({ profile: on.profile, sha256: sha256() });
const place = ({ profile, sha256 }: { profile: string; sha256: string }) =>
  `${on.prefix}/locks/${profile}/${sha256}`;

test('however a lock ends, its lease ends with it, a thousand times', async () => {
  const before = await on.own.leases();
  const done = sha256();
  await add(on, done);
  const keys = Array.from({ length: 1_000 }, content);
  const ways = [
    (key: (typeof keys)[number]) => on.locks.release(key, 'run'),
    (key: (typeof keys)[number]) => on.locks.break(key),
    (key: (typeof keys)[number]) => on.index.add(key, rebuilt, 'run'),
  ];
  for (let i = 0; i < keys.length; i += 20) {
    await Promise.all(
      keys.slice(i, i + 20).map(async (key, j) => {
        if (j % 2 === 0) expect(await on.locks.acquire(key, 'run', MINUTE)).toBe(true);
        else expect(await on.index.claim(key, 'run', MINUTE)).toEqual({ kind: 'claimed' });
        // Who is refused, renews, asks for another time, or finds it done leaves none behind either.
        await on.locks.acquire(key, 'other', MINUTE);
        await on.index.claim(key, 'other', MINUTE);
        await on.index.claim({ ...key, sha256: done }, 'other', MINUTE);
        if (j % 3 === 0) await on.locks.acquire(key, 'run', MINUTE);
        if (j % 3 === 1) await on.locks.acquire(key, 'run', 2 * MINUTE);
        if (j % 3 === 2) await on.index.claim(key, 'run', MINUTE);
        await ways[(i + j) % ways.length]?.(key);
      }),
    );
  }
  expect(await rawKeys(on, `${on.prefix}/locks/`)).toEqual([]);
  expect(await on.own.leases()).toBe(before);
});

test('a lock that nobody frees runs out with its lease, and lives while it is renewed', async () => {
  const before = await on.own.leases();
  const [left, kept] = [content(), content()];
  await on.locks.acquire(left, 'run', 1);
  await on.locks.acquire(kept, 'run', 2_000);
  const since = Date.now();
  while ((await rawKeys(on, place(left).replace(/[^/]+$/, ''))).length > 1) {
    expect(await on.locks.acquire(kept, 'run', 2_000)).toBe(true);
    expect(Date.now() - since).toBeLessThan(60_000);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(await on.locks.acquire(kept, 'run', 2_000)).toBe(true);
  expect(await on.own.leases()).toBe(before + 1);
  await on.locks.break(kept);
});

test('renewing by the same time writes nothing, and by another time moves it', async () => {
  const key = content();
  await on.index.claim(key, 'run', MINUTE);
  const [lock] = await rawKeys(on, `${on.prefix}/locks/`);
  expect(await on.locks.acquire(key, 'run', MINUTE)).toBe(true);
  expect(await rawKeys(on, `${on.prefix}/locks/`)).toEqual([lock]);
  expect(await on.locks.acquire(key, 'run', 2 * MINUTE)).toBe(true);
  const [moved] = await rawKeys(on, `${on.prefix}/locks/`);
  expect(moved?.lease).not.toBe(lock?.lease);
  await on.locks.break(key);
});

test('a list of more than two pages names each once, and breaking all leaves nothing', async () => {
  const keys = Array.from({ length: 1_300 }, content);
  for (let i = 0; i < keys.length; i += 50) {
    await Promise.all(keys.slice(i, i + 50).map((key) => on.locks.acquire(key, 'run', MINUTE)));
  }
  const listed = await Array.fromAsync(on.locks.list());
  expect(listed.map(({ key }) => key.sha256).sort()).toEqual(keys.map(({ sha256 }) => sha256).sort());
  for (const { key } of listed) await on.locks.break(key);
  expect(await rawKeys(on, `${on.prefix}/`)).toEqual([]);
});

test('something else in a lock’s place is an error, neither held nor free', async () => {
  const key = content();
  await overwrite(on, place(key), 'run');
  const before = await on.own.leases();
  const invalid = { code: 'index.invalid', retryable: false };
  for (const owner of ['run', 'other']) {
    await expect(on.locks.acquire(key, owner, MINUTE)).rejects.toMatchObject(invalid);
    await expect(on.index.claim(key, owner, MINUTE)).rejects.toMatchObject(invalid);
  }
  for (const owner of ['run', 'other']) {
    await expect(on.locks.release(key, owner)).rejects.toMatchObject(invalid);
    await expect(on.index.add(key, rebuilt, owner)).rejects.toMatchObject(invalid);
  }
  await expect(Array.fromAsync(on.locks.list())).rejects.toMatchObject(invalid);
  await expect(on.locks.acquire(key, 'other', MINUTE)).rejects.toThrow(place(key));
  expect(await on.own.leases()).toBe(before);
  const [theirs] = await rawKeys(on, `${on.prefix}/locks/`);
  expect([theirs?.value.toString(), theirs?.lease]).toEqual(['run', '0']);
});

test('two installations on one etcd, whose prefixes begin alike, do not see each other’s locks', async () => {
  const key = content();
  const other = createEtcdLocks(on.etcd, { prefix: `${on.prefix}-two` });
  expect(await on.locks.acquire(key, 'owner', MINUTE)).toBe(true);
  expect(await other.acquire(key, 'other', MINUTE)).toBe(true);
  const owners = async (locks = on.locks) => (await Array.fromAsync(locks.list())).map(({ owner }) => owner);
  expect(await owners()).toEqual(['owner']);
  expect(await owners(other)).toEqual(['other']);
});
