/** A lock guarantees nothing: two that believe they hold it still leave one commit. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { receiptKey, slotKey } from '../../activities/keys.ts';
import { receiptSchema } from '../../activities/receipt.ts';
import { FsDestination } from '../../drivers/destination/fs.ts';
import { connectRedis } from '../../drivers/redis/connect.ts';
import { createRedisLocks } from '../../drivers/redis/locks.ts';
import type { ScanSummary } from '../../workflows/contract.ts';
import { recordingLog } from '../contract/redis-connection.ts';
import { until } from '../contract/until.ts';
import { inEngine, openScene, type Scene, sha256Of } from './scene.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
}, 600_000);
afterAll(async () => {
  await scene?.close();
}, 600_000);

test('F30 a lock is broken and a second holder commits first: one receipt, one result, the other is swept', async () => {
  const worker = await scene.worker();
  const place = scene.inFolders(worker);
  const model = `rebuild\n${worker.instance} model\n`;
  await place.put('model', model);
  const first = await scene.start(worker, place);
  const { profile }: ScanSummary = await first.result();
  const { fingerprint } = profile;

  const text = `slow 20\n${worker.instance} contended\n`;
  const content = { sha256: sha256Of(text), fingerprint };
  await place.put('contended', text);
  const scan = await scene.start(worker, place);
  await until(async () => (await scene.podsOf(worker)).some(inEngine));

  const redis = connectRedis({ url: worker.redisUrl, log: recordingLog().log });
  const locks = createRedisLocks(redis, { prefix: worker.keyPrefix });
  const key = { profile: fingerprint, sha256: content.sha256 };
  try {
    expect(await locks.break(key)).toBe(true);
    expect(await locks.acquire(key, 'second-holder', 600_000)).toBe(true);

    // What another installation's worker would commit: its own attempt, in its own slot.
    const { destination } = await place.see();
    const slot = 'a9-second';
    const made = Buffer.from(`rebuilt by faulty\n${text}`);
    const other = readFileSync(
      join(destination, receiptKey({ sha256: sha256Of(model), fingerprint })),
      'utf8',
    );
    const theirs = {
      ...receiptSchema.parse(JSON.parse(other)),
      sha256: content.sha256,
      size: text.length,
      slot,
      pod: { name: 'second-pod', uid: 'second-uid' },
      rebuilt: {
        key: slotKey(content, slot, 'rebuilt'),
        size: made.length,
        sha256: createHash('sha256').update(made).digest('hex'),
      },
      report: undefined,
      logs: [],
    };
    const anchor = { base: destination, below: [] };
    const store = new FsDestination({ url: place.destination, anchor }, { sign: () => '' });
    await store.write(theirs.rebuilt.key, made);
    expect(await store.create(receiptKey(content), JSON.stringify(theirs))).toBe(true);

    await until(() => worker.events('lock.lost').length > 0);
    await scan.result();
    expect(await locks.release(key, 'second-holder')).toBe(true);
    const { outcomes } = await scene.expectSound(worker, place, scan);
    expect(outcomes.rebuilt + outcomes.delivered).toBe(2);
    const kept = readFileSync(join(destination, receiptKey(content)), 'utf8');
    expect(receiptSchema.parse(JSON.parse(kept)).slot).toBe(slot);
  } finally {
    redis.disconnect();
  }
}, 600_000);
