/** The whole way with index and locks on etcd, and no Redis anywhere. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { z } from 'zod';
import { createEtcdIndex } from '../../drivers/etcd/index.ts';
import { createEtcdLocks } from '../../drivers/etcd/locks.ts';
import type { ScanSummary } from '../../workflows/contract.ts';
import { type OwnEtcd, startOwnEtcd } from '../contract/own-etcd.ts';
import { recordingLog } from '../contract/redis-connection.ts';
import { stackVariable } from '../contract/stack.ts';
import { expectAccounted, expectNothingLeft } from './oracle.ts';
import { startWorker, type WorkerProcess } from './worker-process.ts';

let etcd: OwnEtcd;
let worker: WorkerProcess;
let connection: Connection;

beforeAll(async () => {
  etcd = await startOwnEtcd();
  connection = await Connection.connect({ address: stackVariable('TEMPORAL_ADDRESS') });
  worker = await startWorker({ PRISTINE_INDEX: 'etcd', ETCD_ENDPOINTS: etcd.url, REDIS_URL: '' });
  await worker.ready();
}, 120_000);
afterAll(async () => {
  await worker?.stop();
  await connection?.close();
  await etcd?.close();
});

test('the first scan rebuilds and records, the second delivers without a pod; no lock or lease is left', async () => {
  const base = join(worker.folder, 'place');
  const [source, destination] = [join(base, 'in'), join(base, 'out')];
  mkdirSync(source, { recursive: true });
  const rebuilt = ['one', 'two', 'a copy of one'];
  for (const name of rebuilt) writeFileSync(join(source, name), `rebuild\n${name.split(' ').at(-1)}\n`);
  writeFileSync(join(source, 'refused'), 'refuse\n');
  writeFileSync(join(source, 'crashes'), 'crash\n');

  const first = await scan('first', source, destination);
  expectAccounted(source, destination, first.scan, first.summary);
  expect(first.summary.outcomes).toMatchObject({ refused: 1, quarantined: 1 });
  const { rebuilt: done, delivered } = first.summary.outcomes;
  expect(done + delivered).toBe(rebuilt.length);
  for (const name of rebuilt) expect(existsSync(join(destination, 'tree', name))).toBe(true);
  const pods = worker.events('pod.created').length;
  // Of two files of one content one made a pod; the crash has one retry.
  expect(pods).toBe(2 + 1 + 2);
  await expectEtcdHolds(first.summary.profile.fingerprint, 4);

  const second = await scan('second', source, destination);
  expectAccounted(source, destination, second.scan, second.summary);
  expect(second.summary.outcomes).toMatchObject({
    rebuilt: 0,
    delivered: rebuilt.length,
    refused: 1,
    quarantined: 1,
  });
  expect(worker.events('pod.created')).toHaveLength(pods);
  await expectEtcdHolds(first.summary.profile.fingerprint, 4);
  await expectNothingLeft({ ...worker, redisUrl: stackVariable('REDIS_URL') });
}, 300_000);

async function scan(name: string, source: string, destination: string) {
  const client = new Client({ connection });
  const handle = await client.workflow.start('scan', {
    taskQueue: worker.taskQueue,
    workflowId: `${worker.instance}-${name}`,
    args: [
      { source: `file://${source}`, destination: `file://${destination}`, profile: 'faulty', retries: 1 },
    ],
  });
  return { scan: handle.workflowId, summary: (await handle.result()) as ScanSummary };
}

/** This many records and nothing else but what is noted of files: no lock, no lease of one. */
async function expectEtcdHolds(profile: string, records: number): Promise<void> {
  const own = etcd.connect();
  const prefix = worker.keyPrefix;
  await createEtcdIndex(own, { prefix, profiles: [profile], log: recordingLog().log }).check();
  expect(await Array.fromAsync(createEtcdLocks(own, { prefix }).list())).toEqual([]);
  const keys = await keysBelow(prefix);
  const notes = keys.filter((key) => key.startsWith(`${prefix}/files/`));
  expect(await etcd.leases()).toBe(notes.filter((key) => key.endsWith('/head')).length);
  // And one key that says which generation counts.
  expect(keys.length - notes.length).toBe(records + 1);
}

const rangeSchema = z.object({ kvs: z.array(z.object({ key: z.string() })).default([]) });

async function keysBelow(prefix: string): Promise<string[]> {
  const [key, range_end] = [`${prefix}/`, `${prefix}0`].map((end) => Buffer.from(end).toString('base64'));
  const { kvs } = rangeSchema.parse(await etcd.ask('kv/range', { key, range_end, keys_only: true }));
  return kvs.map((kv) => Buffer.from(kv.key, 'base64').toString());
}
