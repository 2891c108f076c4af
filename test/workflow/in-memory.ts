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
import type { ProfileRef } from '../../workflows/contract.ts';
import { noOutcomes } from '../../workflows/contract.ts';
import type { ScanState, SettledFile } from '../../workflows/scan-state.ts';
import { createFakeIndex } from '../contract/fake-index.ts';
import { createFakeLocks } from '../contract/fake-locks.ts';

export type InMemoryFile = { path: string; sha256: string };

export type InMemory = {
  activities: FileActivities & PodActivities & OrchestrateActivities;
  manifest: SettledFile[];
  /** sha256 of each pod made, in order. */
  pods: string[];
  mostAtOnce: () => number;
  locks: Set<string>;
  /** Files of each settling, in order. */
  settlings: number[];
  /** Engine size of each pod made, in order. */
  tiers: number[];
  quarantines: { sha256: string; class: string | undefined }[];
};

export type InMemoryOptions = {
  files: InMemoryFile[];
  client: () => Client;
  /** Part of the children's workflow IDs, so another for each test. */
  fingerprint: string;
  historyLimit?: number;
  searchAttributes?: boolean;
  /** Default: none is said, as by older workers. */
  largestBatch?: number;
  /** How the nth attempt of a content ends; default: committed as rebuilt. */
  ends?: (sha256: string, attempt: number) => Collected | Promise<Collected>;
  /** What the API server says to the next pod, after so many were made; undefined: it takes it. */
  refuses?: (pods: number) => { type: string; message: string } | undefined;
  /** Called at the begin of each step of the scan's own, to throw in its place. */
  before?: (step: 'listPage' | 'settleFiles' | 'finishScan' | 'clearScan') => void;
  /** Whether a pod of this content can be deleted; default: yes. */
  deletes?: (sha256: string) => boolean;
  /** Known to the index before the scan. */
  known?: Set<string>;
  /** Contents whose record says done while they are not there. */
  missing?: Set<string>;
};

/** A lock outlives its owner for so long. */
const LOCK_TTL_MS = 1_000;

export function inMemory(options: InMemoryOptions): InMemory {
  const manifest: SettledFile[] = [];
  const pods: string[] = [];
  const alive = new Set<string>();
  const locks = new Set<string>();
  const owners = new Map<string, { owner: string; until: number }>();
  const tiers: number[] = [];
  const settlings: number[] = [];
  const quarantines: InMemory['quarantines'] = [];
  const done = new Set(options.known);
  /** A forced scan knows nothing. */
  const isKnown = (sha256: string, profile: ProfileRef) => profile.base === undefined && done.has(sha256);
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
    searchAttributes: options.searchAttributes ?? false,
    historyLimit: options.historyLimit,
    largestBatch: options.largestBatch,
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
      if (input.mode !== 'force') return opened;
      const forced = `f${options.fingerprint.slice(1)}`;
      return { ...opened, profile: { name: 'default', fingerprint: forced, base: options.fingerprint } };
    },
    async listPage({ cursor, limit, profile }) {
      options.before?.('listPage');
      const from = cursor === null ? 0 : options.files.findIndex((file) => file.path === cursor.path) + 1;
      const page = options.files.slice(from, from + limit);
      const files = page.map(({ path, sha256 }) => ({ name: { path }, size: 1, sha256, version: 'v' }));
      return {
        work: files.filter((file) => !isKnown(file.sha256, profile)),
        settled: files
          .filter((file) => isKnown(file.sha256, profile))
          .map((file) => ({ ...file, outcome: 'delivered' as const, from: opened.destination })),
        next: from + limit < options.files.length ? { path: page.at(-1)?.path ?? '' } : null,
      };
    },
    async claimContent({ sha256, ignoreRecord, owner }) {
      if (done.has(sha256) && !ignoreRecord) {
        return { kind: 'done', result: { outcome: 'rebuilt', attempts: 0, reused: true } };
      }
      const holder = owners.get(sha256);
      const held = holder !== undefined && holder.owner !== owner && Date.now() < holder.until;
      if (locks.has(sha256) && held) throw ApplicationFailure.retryable('held', 'lock.held');
      owners.set(sha256, { owner, until: Date.now() + LOCK_TTL_MS });
      locks.add(sha256);
      return { kind: 'claimed' };
    },
    async releaseContent({ sha256 }) {
      locks.delete(sha256);
    },
    async createPod({ file, attempt, slot, tier }) {
      const refusal = options.refuses?.(pods.length);
      if (refusal !== undefined) throw ApplicationFailure.nonRetryable(refusal.message, refusal.type);
      tiers.push(tier);
      pods.push(file.sha256);
      alive.add(`${file.sha256}-${attempt}`);
      most = Math.max(most, alive.size);
      const name = `${file.sha256}-${attempt}`;
      return { name, uid: name, slot, adopted: false, image: 'engine' };
    },
    async awaitPod() {
      return ended;
    },
    async collectResult({ file, attempt }) {
      const collected = (await options.ends?.(file.sha256, attempt)) ?? committed;
      if (collected.kind === 'committed') {
        done.add(file.sha256);
        missing.delete(file.sha256);
        locks.delete(file.sha256);
      }
      return collected;
    },
    async deletePod({ name }) {
      const [sha256 = ''] = name.split('-');
      if (options.deletes?.(sha256) === false) {
        throw ApplicationFailure.nonRetryable('no right to delete pods', 'kubernetes.forbidden');
      }
      alive.delete(name);
    },
    async quarantineContent({ sha256, quarantine }) {
      quarantines.push({ sha256, class: quarantine.class });
      done.add(sha256);
      locks.delete(sha256);
    },
    async settleFiles({ files }) {
      options.before?.('settleFiles');
      settlings.push(files.length);
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
      options.before?.('finishScan');
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
    async clearScan() {
      options.before?.('clearScan');
    },
    async retryQuarantined() {
      return { cleared: 0, contents: [] };
    },
    attachToFile: (input) =>
      attachToFile(
        {
          client: options.client(),
          index: createFakeIndex(createFakeLocks()),
          settings: { lockTtlMs: 1_000, heartbeatMs: 1_000, searchAttributes: false },
        },
        input,
        () => {},
        new AbortController().signal,
      ),
  };
  return { activities, manifest, pods, mostAtOnce: () => most, locks, settlings, tiers, quarantines };
}
