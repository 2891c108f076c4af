/** An etcd index with what its tests look at from below; a fresh prefix for each test of the file. */
import { afterAll, beforeAll, beforeEach } from '@jest/globals';
import { found, type KeyValue } from '../../drivers/etcd/answers.ts';
import type { Etcd } from '../../drivers/etcd/connect.ts';
import { createEtcdIndex } from '../../drivers/etcd/index.ts';
import { etcdKeys, type ProfileKeys } from '../../drivers/etcd/keys.ts';
import { createEtcdLocks } from '../../drivers/etcd/locks.ts';
import { getMany, put, remove, removeMany } from '../../drivers/etcd/transaction.ts';
import type { EventName } from '../../drivers/events.ts';
import type { Locks, ProcessedIndex } from '../../drivers/ports.ts';
import { profile as newProfile, rebuilt } from './contents.ts';
import { newPrefix, type OwnEtcd, startOwnEtcd } from './own-etcd.ts';
import { recordingLog } from './redis-connection.ts';

export type EtcdIndexUnderTest = {
  own: OwnEtcd;
  etcd: Etcd;
  prefix: string;
  index: ProcessedIndex;
  locks: Locks;
  profile: string;
  keys: ProfileKeys;
  events: () => (EventName | undefined)[];
};

/** `on` is filled in before each test. */
export function useEtcdIndex(): EtcdIndexUnderTest {
  // Nothing reads it before beforeEach has run.
  const on = {} as EtcdIndexUnderTest;
  beforeAll(async () => {
    on.own = await startOwnEtcd();
    on.etcd = on.own.connect();
  });
  beforeEach(() => {
    const [prefix, profile] = [newPrefix(), newProfile()];
    const { log, lines } = recordingLog();
    Object.assign(on, {
      prefix,
      profile,
      keys: etcdKeys(prefix).profile(profile),
      index: createEtcdIndex(on.etcd, { prefix, profiles: [profile], log }),
      locks: createEtcdLocks(on.etcd, { prefix }),
      events: () => lines.map((line) => line.event),
    });
  });
  afterAll(() => on.own?.close());
  return on;
}

export async function add({ index, profile }: EtcdIndexUnderTest, ...contents: string[]): Promise<void> {
  for (const one of contents) await index.add({ profile, sha256: one }, rebuilt);
}

/** All keys under this prefix, which ends in `/`, as they lie there. */
export async function rawKeys({ etcd }: { etcd: Etcd }, prefix: string): Promise<KeyValue[]> {
  return found((await etcd.txn({ success: [getMany(prefix, { limit: 0 })] })).responses[0]);
}

export const texts = (keys: readonly KeyValue[]) => keys.map(({ key }) => key.toString());

export async function overwrite(
  { etcd }: { etcd: Etcd },
  key: string,
  value: string | Buffer,
): Promise<void> {
  await etcd.txn({ success: [put(key, value)] });
}

export async function erase({ etcd }: { etcd: Etcd }, key: string): Promise<void> {
  await etcd.txn({ success: [key.endsWith('/') ? removeMany(key) : remove(key)] });
}

/** The generation that counts, as its meta says. */
export async function generationOf(on: EtcdIndexUnderTest) {
  const held = await rawKeys(on, `${on.prefix}/index/${on.profile}/`);
  const meta = held.find(({ key }) => key.toString() === on.keys.meta);
  return on.keys.generation(meta?.value.toString().split(' ')[1] ?? '');
}
