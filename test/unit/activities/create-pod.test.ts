import { expect, test } from '@jest/globals';
import { ActivityFailure, ApplicationFailure, RetryState } from '@temporalio/common';
import type { Dependencies } from '../../../activities/dependencies.ts';
import { createPod } from '../../../activities/pods.ts';
import { type Profile, profileFingerprint, profileSchema } from '../../../drivers/profile.ts';
import type { ProfileRef, RebuildFileInput } from '../../../workflows/contract.ts';
import { podRefused } from '../../../workflows/file-failures.ts';
import { FakePods } from '../../contract/fake-pods.ts';
import { sha256Of } from './world.ts';

const old = profileSchema.parse({ image: 'engine:1' });
const changed = profileSchema.parse({ image: 'engine:2' });
const began: ProfileRef = { name: 'default', fingerprint: profileFingerprint(old) };

/** `createPod` on a worker with these profiles, for a scan that began with `profile`. */
function making(profiles: Record<string, Profile>) {
  const pods = new FakePods(() => ({ outcome: null }));
  const sign = async () => 'http://link.invalid/';
  const deps = {
    openSource: () => ({ signGet: sign }),
    openDestination: () => ({ signPut: sign }),
    pods,
    profiles,
  } as unknown as Dependencies;
  const make = (profile: ProfileRef, more: Partial<RebuildFileInput> & { runId?: string } = {}) => {
    const { runId = 'run-1', ...given } = more;
    return createPod(deps, {
      file: {
        scanId: 'scan',
        sha256: sha256Of('hostile'),
        size: 7,
        profile,
        source: 'file:///in',
        name: { path: 'a' },
        destination: 'file:///out',
        retries: 0,
        maxTier: 0,
        podSeconds: 1,
        heartbeatMs: 1_000,
        searchAttributes: false,
        ...given,
      },
      workflowId: 'file-1',
      runId,
      attempt: 1,
      slot: 'a1-abc',
      tier: 0,
    }).finally(() => pods.close());
  };
  return { pods, make };
}

const refusal = (make: Promise<unknown>) =>
  make.then(
    () => undefined,
    (error: Error) =>
      podRefused(
        new ActivityFailure('failed', 'createPod', '1', RetryState.NON_RETRYABLE_FAILURE, '', error),
      ),
  );

test('the pod has the settings that the scan began with, and their image', async () => {
  const { pods, make } = making({ default: old });
  expect(await make(began)).toMatchObject({ adopted: false, image: 'engine:1' });
  expect(pods.created).toHaveLength(1);
});

test('of a forced scan too, whose fingerprint is its own', async () => {
  const { make } = making({ default: old });
  const forced = { ...began, fingerprint: 'f0f0f0f0', base: began.fingerprint };
  expect(await make(forced)).toMatchObject({ adopted: false });
});

test.each<[string, ProfileRef]>([
  ['a scan', began],
  ['a forced scan', { ...began, fingerprint: 'f0f0f0f0', base: began.fingerprint }],
])('a profile that has changed since makes no pod: %s pauses and says what to do', async (_, profile) => {
  const { pods, make } = making({ default: changed });
  const made = make(profile);
  await expect(made).rejects.toBeInstanceOf(ApplicationFailure);
  expect(await refusal(made)).toEqual({
    class: 'configuration',
    reason:
      'profile "default" has changed since this scan began: drain it and start a new one, or give the workers ' +
      'the old profile back',
  });
  expect(pods.created).toEqual([]);
});

test('a profile that is gone pauses the scan too', async () => {
  const { make } = making({ other: old });
  expect(await refusal(make(began))).toMatchObject({
    class: 'configuration',
    reason: expect.stringContaining('does not know the profile "default"'),
  });
});

test('a pod says whether its links lead where another’s do', async () => {
  const { pods, make } = making({ default: old });
  const places = async (more: object) => {
    await make(began, more);
    const { name = '', places } = pods.created.at(-1) ?? {};
    pods.vanish(name);
    return places;
  };
  const first = await places({});
  expect(first).toMatch(/^[0-9a-f]{16}$/);
  expect(await places({ runId: 'run-2' })).toBe(first);
  for (const more of [{ destination: 'file:///other' }, { source: 'file:///other' }, { name: { path: 'b' } }])
    expect(await places(more)).not.toBe(first);
});
