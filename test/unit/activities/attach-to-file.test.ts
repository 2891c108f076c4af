import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import type { Client } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { attachToFile } from '../../../activities/attach-to-file.ts';
import type { FileResult } from '../../../workflows/contract.ts';
import { createFakeIndex } from '../../contract/fake-index.ts';
import { createFakeLocks } from '../../contract/fake-locks.ts';
import { fingerprint, sha256Of } from './world.ts';

const sha256 = sha256Of('hostile');
const base: FileResult = { outcome: 'rebuilt', attempts: 1, reused: false, destination: 's3://clean/' };

const settings = { lockTtlMs: 1_000, heartbeatMs: 1_000, searchAttributes: false };
const never = () => new AbortController().signal;
const clientWith = (result: () => Promise<FileResult>) =>
  ({
    workflow: { getHandle: () => ({ result }) },
    withAbortSignal: (_: AbortSignal, run: () => unknown) => run(),
  }) as unknown as Client;

async function recordAfter(result: FileResult, profile = { name: 'default', fingerprint }) {
  const index = createFakeIndex(createFakeLocks());
  const client = clientWith(async () => result);
  await attachToFile({ client, index, settings }, { workflowId: 'file', sha256, profile }, () => {}, never());
  return (await index.lookup(fingerprint, [sha256]))[0];
}

test('an index that has lost the record is told again by who asks the workflow', async () => {
  expect(await recordAfter(base)).toEqual({ verdict: 'rebuilt', destination: 's3://clean/' });
});

test('of a forced run the record says where the receipt lies', async () => {
  const forced = { name: 'default', fingerprint: 'f0f0f0f0', base: fingerprint };
  expect(await recordAfter({ ...base, fingerprint: 'f0f0f0f0' }, forced)).toMatchObject({
    fingerprint: 'f0f0f0f0',
  });
});

test.each(['changed', 'gone', 'quarantined'] as const)('%s is nothing to record', async (outcome) => {
  expect(await recordAfter({ ...base, outcome })).toBeNull();
});

describe('a wait that is cancelled', () => {
  const index = createFakeIndex(createFakeLocks());
  const input = { workflowId: 'file', sha256, profile: { name: 'default', fingerprint } };
  const shutdown = new CancelledFailure('WORKER_SHUTDOWN');

  test('throws the reason at once, and reports no more, though the client waits on', async () => {
    const client = clientWith(() => new Promise<never>(() => {}));
    const stop = new AbortController();
    let beats = 0;
    const beat = () => {
      beats += 1;
    };
    const quick = { ...settings, heartbeatMs: 1 };
    const wait = attachToFile({ client, index, settings: quick }, input, beat, stop.signal);
    stop.abort(shutdown);
    await expect(wait).rejects.toBe(shutdown);
    const before = beats;
    await sleep(20);
    expect(beats).toBe(before);
  });

  test('ends the call of the client that is under way', async () => {
    const stop = new AbortController();
    let ended = false;
    const client = {
      ...clientWith(() => new Promise<never>(() => {})),
      withAbortSignal: (signal: AbortSignal, run: () => unknown) => {
        signal.addEventListener('abort', () => {
          ended = true;
        });
        return run();
      },
    } as unknown as Client;
    const wait = attachToFile({ client, index, settings }, input, () => {}, stop.signal);
    stop.abort(shutdown);
    await expect(wait).rejects.toBe(shutdown);
    expect(ended).toBe(true);
  });

  test('before it began asks for nothing', async () => {
    const client = clientWith(async () => {
      throw new Error('asked');
    });
    const signal = AbortSignal.abort(shutdown);
    await expect(attachToFile({ client, index, settings }, input, () => {}, signal)).rejects.toBe(shutdown);
  });
});
