/** Dependencies for one activity at a time: a real folder as the destination, the rest in memory. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collectResult } from '../../../activities/collect-result.ts';
import type { Dependencies } from '../../../activities/dependencies.ts';
import { slotKey } from '../../../activities/keys.ts';
import { FsDestination } from '../../../drivers/destination/fs.ts';
import { parseFileUrl } from '../../../drivers/file-system/file-url.ts';
import type { PodOutcome, UploadReport } from '../../../drivers/ports.ts';
import { profileSchema } from '../../../drivers/profile.ts';
import type { ProfileRef, RebuildFileInput } from '../../../workflows/contract.ts';
import { createFakeFileMemory } from '../../contract/fake-file-memory.ts';
import { createFakeIndex } from '../../contract/fake-index.ts';
import { createFakeLocks } from '../../contract/fake-locks.ts';
import { createFakeSeen } from '../../contract/fake-seen.ts';

export const sha256Of = (text: string) => createHash('sha256').update(text).digest('hex');
export const fingerprint = '0a0b0c0d';

const roots: string[] = [];

export function removeWorlds(): void {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true });
}

export function world() {
  const root = mkdtempSync(join(tmpdir(), 'pristine-'));
  roots.push(root);
  const ahead = { ms: 0 };
  const signer = { sign: () => 'http://link.invalid/' };
  const place = (name: string) => `file://${root}/${name}`;
  const openDestination = (url: string) =>
    new FsDestination(parseFileUrl(url, 'destination', [root]), signer, {
      // What tests have just made counts as old.
      now: () => Date.now() + ahead.ms,
    });
  const locks = createFakeLocks();
  const silent = () => {};
  const logger = { debug: silent, info: silent, warn: silent, error: silent };
  const unused = () => {
    throw new Error('not used here');
  };
  const pods = { log: async () => 'a log', create: unused, await: unused, remove: unused, list: unused };
  const index = createFakeIndex(locks);
  const deps = {
    openDestination,
    index,
    memory: createFakeFileMemory(index),
    locks,
    seen: createFakeSeen(),
    pods: { ...pods, check: unused, close: unused },
    profiles: { default: profileSchema.parse({ image: 'engine' }) },
    logger,
    settings: { lockTtlMs: 1_000, heartbeatMs: 1_000, searchAttributes: false },
  } as unknown as Dependencies;

  const destination = place('out');
  const file = (content: string): RebuildFileInput => ({
    scanId: 'scan',
    sha256: sha256Of(content),
    size: content.length,
    profile: { name: 'default', fingerprint },
    source: place('in'),
    name: { path: 'a' },
    destination,
    retries: 0,
    maxTier: 0,
    podSeconds: 1,
    heartbeatMs: 1_000,
    searchAttributes: false,
  });

  /** What a pod would have done: something in its slot, and what its uploader says of it. */
  async function attempt(
    content: string,
    stored: string,
    said: string = stored,
    slot = 'a1-abc',
    profile: ProfileRef = { name: 'default', fingerprint },
    image?: string,
  ) {
    const input = { ...file(content), profile };
    const key = slotKey({ sha256: input.sha256, fingerprint: profile.fingerprint }, slot, 'rebuilt');
    await openDestination(destination).write(key, stored);
    const outcome: PodOutcome = {
      kind: 'uploaded',
      report: {
        verdict: 'rebuilt',
        files: [{ name: 'rebuilt', size: said.length, sha256: sha256Of(said) }],
      },
      exitCodes: { fetch: 0, engine: 0, upload: 0 },
      times: {},
    };
    const pod = { name: `pod-${slot}`, uid: `uid-${slot}`, slot, image };
    return collectResult(deps, { file: input, pod, attempt: 1, outcome, owner: 'me' });
  }

  /** A content whose engine has left a report. */
  async function report(content: string, verdict: 'rebuilt' | 'refused') {
    const input = file(content);
    const pod = { name: 'pod-a1-abc', uid: 'uid-a1-abc', slot: 'a1-abc' };
    const left = { ...(verdict === 'rebuilt' && { rebuilt: 'clean' }), 'report.xml': '<report/>' };
    const files: UploadReport['files'] = [];
    for (const name of ['rebuilt', 'report.xml'] as const) {
      const body = left[name];
      if (body === undefined) continue;
      await openDestination(destination).write(
        slotKey({ sha256: input.sha256, fingerprint }, pod.slot, name),
        body,
      );
      files.push({ name, size: body.length, sha256: sha256Of(body) });
    }
    const reason = verdict === 'refused' ? 'encrypted' : undefined;
    const outcome: PodOutcome = {
      kind: 'uploaded',
      report: { verdict, reason, files },
      exitCodes: { fetch: 0, engine: 0, upload: 0 },
      times: {},
    };
    return collectResult(deps, { file: input, pod, attempt: 1, outcome, owner: 'me' });
  }
  return { root, deps, destination, place, file, attempt, report, ahead };
}
