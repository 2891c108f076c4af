import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { formatEnvFile } from '../../../cli/env-file.ts';
import { readSettings, withLocalStack } from '../../../cli/settings.ts';

const state = mkdtempSync(join(tmpdir(), 'settings-'));
afterAll(() => rmSync(state, { recursive: true }));

const profiles = join(state, 'profiles.json');
writeFileSync(profiles, '{"default":{"image":"engine:1"}}');
const stack = { TEMPORAL_ADDRESS: 'stack:7233', REDIS_URL: 'redis://stack:6379' };
const worker = {
  PRISTINE_POD_IMAGE: 'pod:1',
  PRISTINE_PROFILES_FILE: profiles,
  PRISTINE_TASK_QUEUE: 'queue',
};

test('what make up wrote counts where the environment says nothing', () => {
  writeFileSync(join(state, 'env'), formatEnvFile(stack, '/bin'));
  writeFileSync(join(state, 'worker.env'), formatEnvFile(worker, '/bin'));
  const { temporal, redis } = readSettings({ REDIS_URL: 'redis://mine:6379' }, state);
  expect([temporal.address, temporal.taskQueue, redis.url]).toEqual([
    'stack:7233',
    'queue',
    'redis://mine:6379',
  ]);
});

test('an apostrophe in what make up wrote is read back', () => {
  const folder = "/tmp/it's here";
  writeFileSync(join(state, 'env'), formatEnvFile({ ...stack, ODD: folder, AFTER: '1' }, '/bin'));
  expect(withLocalStack({}, state)).toMatchObject({ ...stack, ODD: folder, AFTER: '1' });
});

test('without it the environment is all there is', () => {
  const { temporal } = readSettings({ ...stack, ...worker }, join(state, 'none'));
  expect(temporal.address).toBe('stack:7233');
  expect(() => readSettings({}, join(state, 'none'))).toThrow('TEMPORAL_ADDRESS');
});
