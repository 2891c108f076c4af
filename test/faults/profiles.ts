/** Profiles of a test's own, for a worker of its own. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { builtImage } from '../contract/stack.ts';

/** Settings of the faulty engine that does what its file says, beside those given. */
export function faultyProfile(more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    image: builtImage('engineFaulty'),
    args: ['from-file'],
    // Their fingerprints are no other run's.
    env: { TEST_RUN: randomUUID() },
    scratch: '16Mi',
    runDeadlineSeconds: 60,
    ...more,
  };
}

/** The variable that gives a worker these profiles; `faulty` is what scans of scenes name. */
export function withProfiles(profiles: Record<string, Record<string, unknown>>): Record<string, string> {
  const folder = join(import.meta.dirname, '../../.pristine/test');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `profiles-${randomUUID()}.json`);
  const needed = { default: faultyProfile() };
  writeFileSync(file, JSON.stringify({ ...needed, ...profiles }));
  return { PRISTINE_PROFILES_FILE: file };
}
