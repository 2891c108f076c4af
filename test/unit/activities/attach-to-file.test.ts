import { expect, test } from '@jest/globals';
import type { Client } from '@temporalio/client';
import { attachToFile } from '../../../activities/attach-to-file.ts';
import type { FileResult } from '../../../workflows/contract.ts';
import { createFakeIndex } from '../../contract/fake-index.ts';
import { createFakeLocks } from '../../contract/fake-locks.ts';
import { fingerprint, sha256Of } from './world.ts';

const sha256 = sha256Of('hostile');
const base: FileResult = { outcome: 'rebuilt', attempts: 1, reused: false, destination: 's3://clean/' };

async function recordAfter(result: FileResult, profile = { name: 'default', fingerprint }) {
  const index = createFakeIndex(createFakeLocks());
  const client = { workflow: { getHandle: () => ({ result: async () => result }) } } as unknown as Client;
  const settings = { lockTtlMs: 1_000, heartbeatMs: 1_000, searchAttributes: false };
  await attachToFile({ client, index, settings }, { workflowId: 'file', sha256, profile }, () => {});
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
