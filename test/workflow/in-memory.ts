/**
 * A source, an engine and a manifest in memory, as activities: what the scan workflow is run against where
 * only its own decisions are looked at.
 */

import type { Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { attachToFile } from '../../activities/attach-to-file.ts';
import type { Collected } from '../../activities/collect-result.ts';
import type {
  FileActivities,
  OrchestrateActivities,
  PodActivities,
} from '../../activities/create-activities.ts';
import type { PodOutcome } from '../../drivers/ports.ts';
import { noOutcomes } from '../../workflows/contract.ts';
import type { ScanState, SettledFile } from '../../workflows/scan-state.ts';

export type InMemoryFile = { path: string; sha256: string };

export type InMemory = {
  activities: FileActivities & PodActivities & OrchestrateActivities;
  manifest: SettledFile[];
  /** sha256 of each pod made, in order. */
  pods: string[];
  mostAtOnce: () => number;
  locks: Set<string>;
};

export type InMemoryOptions = {
  files: InMemoryFile[];
  client: () => Client;
  /** Part of the children's workflow IDs, so another for each test. */
  fingerprint: string;
  historyLimit?: number;
  /** How the nth attempt of a content ends; default: committed as rebuilt. */
  ends?: (sha256: string, attempt: number) => Collected | Promise<Collected>;
  /** Known to the index before the scan. */
  known?: Set<string>;
  /** Contents whose record says done while they are not there. */
  missing?: Set<string>;
};

export function inMemory(options: InMemoryOptions): InMemory {
  const manifest: SettledFile[] = [];
  const pods: string[] = [];
  const alive = new Set<string>();
  const locks = new Set<string>();
  const done = new Set(options.known);
  const missing = new Set(options.missing);
  let most = 0;

  const opened: ScanState['opened'] = {
    source: 'file:///in',
    destination: 'file:///out',
    profile: { name: 'default', fingerprint: options.fingerprint },
    maxInputBytes: 1_000,
    maxTier: 1,
    startDeadlineSeconds: 60,
    runDeadlineSeconds: 60,
    heartbeatMs: 5_000,
    searchAttributes: false,
    historyLimit: options.historyLimit,
  };
  const committed: Collected = { kind: 'committed', verdict: 'rebuilt', receipt: 'r', reused: false };
  const ended: PodOutcome = {
    kind: 'gone',
    reason: 'decided by collectResult here',
    exitCodes: {},
    times: {},
  };

  const activities: InMemory['activities'] = {
    async openScan(input) {
      if (input.source.includes('nowhere')) {
        throw ApplicationFailure.nonRetryable('there is no such folder', 'source.missing');
      }
      return opened;
    },
    async listPage({ cursor, limit }) {
      const from = cursor === null ? 0 : options.files.findIndex((file) => file.path === cursor.path) + 1;
      const page = options.files.slice(from, from + limit);
      const files = page.map(({ path, sha256 }) => ({ name: { path }, size: 1, sha256, version: 'v' }));
      return {
        work: files.filter((file) => !done.has(file.sha256)),
        settled: files
          .filter((file) => done.has(file.sha256))
          .map((file) => ({ ...file, outcome: 'delivered' as const, from: opened.destination })),
        next: from + limit < options.files.length ? { path: page.at(-1)?.path ?? '' } : null,
      };
    },
    async claimContent({ sha256, ignoreRecord }) {
      if (done.has(sha256) && !ignoreRecord) {
        return { kind: 'done', result: { outcome: 'rebuilt', attempts: 0, reused: true } };
      }
      locks.add(sha256);
      return { kind: 'claimed' };
    },
    async releaseContent({ sha256 }) {
      locks.delete(sha256);
    },
    async createPod({ file, attempt, slot }) {
      pods.push(file.sha256);
      alive.add(`${file.sha256}-${attempt}`);
      most = Math.max(most, alive.size);
      return { name: `${file.sha256}-${attempt}`, uid: `${file.sha256}-${attempt}`, slot, adopted: false };
    },
    async awaitPod() {
      return ended;
    },
    async collectResult({ file, attempt }) {
      return (await options.ends?.(file.sha256, attempt)) ?? committed;
    },
    async deletePod({ name }) {
      alive.delete(name);
    },
    async recordContent({ sha256 }) {
      done.add(sha256);
      missing.delete(sha256);
      locks.delete(sha256);
    },
    async settleFiles({ files }) {
      const counts = noOutcomes();
      const gone: number[] = [];
      for (const [at, file] of files.entries()) {
        if (file.sha256 !== undefined && missing.has(file.sha256)) {
          gone.push(at);
          continue;
        }
        counts[file.outcome] += 1;
        manifest.push(file);
      }
      return { counts, missing: gone };
    },
    async finishScan({ scanId, source, destination, profile, listed, counts }) {
      return {
        scan: scanId,
        source,
        destination,
        profile,
        startedAt: '',
        finishedAt: '',
        listed,
        outcomes: counts,
        manifest: { key: 'm', lines: manifest.length, sha256: '' },
      };
    },
    async clearScan() {},
    attachToFile: (input) =>
      attachToFile(
        {
          client: options.client(),
          settings: { lockTtlMs: 1_000, heartbeatMs: 1_000, searchAttributes: false },
        },
        input,
        () => {},
      ),
  };
  return { activities, manifest, pods, mostAtOnce: () => most, locks };
}
