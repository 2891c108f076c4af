/** What must hold after every scan, looked at from outside: the destination, the cluster and Redis. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect } from '@jest/globals';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import type { ManifestLine } from '../../activities/manifest.ts';
import { receiptSchema } from '../../activities/receipt.ts';
import { podName } from '../../drivers/kubernetes/pod-name.ts';
import { connectRedis } from '../../drivers/redis/connect.ts';
import { createRedisLocks } from '../../drivers/redis/locks.ts';
import type { ScanSummary } from '../../workflows/contract.ts';
import { totalOf } from '../../workflows/contract.ts';
import { stackVariable } from '../contract/stack.ts';
import type { WorkerProcess } from './worker-process.ts';

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

export function filesBelow(folder: string): string[] {
  const found = readdirSync(folder, { withFileTypes: true, recursive: true });
  return found
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

export function readManifest(destination: string, scan: string): ManifestLine[] {
  const text = readFileSync(join(destination, 'scans', scan, 'manifest.jsonl'), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ManifestLine);
}

/** The oracle for a scan from folder to folder. */
export function expectAccounted(
  source: string,
  destination: string,
  scan: string,
  summary: ScanSummary,
): void {
  const manifest = readManifest(destination, scan);
  const listed = filesBelow(source);
  expect(manifest.map((line) => line.path).sort()).toEqual(listed);
  expect(summary.listed).toBe(listed.length);
  expect(totalOf(summary.outcomes)).toBe(listed.length);
  const text = readFileSync(join(destination, 'scans', scan, 'manifest.jsonl'));
  expect(sha256(text)).toBe(summary.manifest.sha256);
  expect(readdirSync(join(destination, 'scans', scan)).sort()).toEqual([
    'SHA256SUMS',
    'manifest.jsonl',
    'summary.json',
  ]);
  expectOnlyReceipted(destination);
}

/** One scan between two folders, and every worker process that had a part in it. */
export type FinishedScan = {
  workers: readonly WorkerProcess[];
  source: string;
  destination: string;
  scan: string;
  summary: ScanSummary;
  /** Pods made for a content, by its sha256, where it is not one: each runs the engine. */
  pods?: Readonly<Record<string, number>>;
};

/**
 * The oracle for faults: the books balance, one receipt a content and profile and one slot that it names, one
 * engine run a content unless `pods` says otherwise; no pod, lock, temporary file or manifest part is left.
 */
export async function expectWhole(finished: FinishedScan): Promise<void> {
  const { workers, source, destination, scan, summary } = finished;
  expectAccounted(source, destination, scan, summary);
  expectOneReceiptEach(finished);
  expectEngineRuns(finished);
  for (const worker of workers) await expectNothingLeft(worker);
  expectNoTemporaryFiles(finished);
}

/**
 * Every content that the manifest counts as done has one receipt. Only where a pod was lost may an attempt that it
 * does not name have left a rebuilt file in its own slot.
 */
export function expectOneReceiptEach({ destination, scan, pods = {} }: FinishedScan): void {
  for (const [content, lines] of linesByContent(destination, scan)) {
    if (!lines.some(({ outcome }) => ['rebuilt', 'delivered', 'refused'].includes(outcome))) continue;
    const folder = join(destination, 'content', content.slice(0, 2), content);
    const receipts = filesBelow(folder).filter((file) => file.endsWith('receipt.json'));
    expect({ content, receipts: receipts.length }).toEqual({ content, receipts: 1 });
    const receipt = receiptSchema.parse(JSON.parse(readFileSync(join(folder, receipts[0] ?? ''), 'utf8')));
    const rebuilt = filesBelow(folder).filter((file) => file.endsWith('/rebuilt'));
    const slots = rebuilt.map((file) => relative(destination, join(folder, file)));
    const named = receipt.rebuilt === undefined ? [] : [receipt.rebuilt.key];
    expect(slots).toEqual(expect.arrayContaining(named));
    if (pods[content] === undefined) expect(slots).toEqual(named);
  }
}

/** Pods by UID as the workers' logs name them, made, adopted or seen to end. */
export function expectEngineRuns({ workers, destination, scan, pods = {} }: FinishedScan): void {
  const names = new Map<string, unknown>();
  for (const event of ['pod.created', 'pod.adopted', 'pod.ended']) {
    for (const line of workers.flatMap((worker) => worker.events(event))) {
      names.set(String(line.uid), line.pod);
    }
  }
  for (const [content, lines] of linesByContent(destination, scan)) {
    if (!lines.some(({ outcome }) => outcome === 'rebuilt' || outcome === 'delivered')) continue;
    const stem = podName(content, '00000000', 0).slice(0, -'00000000-a0'.length);
    const made = [...names.values()].filter((name) => String(name).startsWith(stem)).length;
    expect({ content, pods: made }).toEqual({ content, pods: pods[content] ?? 1 });
  }
}

/** Of killed writers too: the next scan's check of its destination removes theirs. */
export function expectNoTemporaryFiles({ workers, destination }: FinishedScan): void {
  for (const { folder } of workers) {
    const temporary = join(folder, '.pristine-tmp');
    if (existsSync(temporary)) expect(filesBelow(temporary)).toEqual([]);
  }
  const scans = filesBelow(join(destination, 'scans'));
  expect(scans.filter((file) => file.includes('.probe-'))).toEqual([]);
  for (const file of scans.filter((one) => one.endsWith('/summary.json'))) {
    const parts = file.replace('summary.json', 'parts/');
    expect(scans.filter((other) => other.startsWith(parts))).toEqual([]);
  }
}

function linesByContent(destination: string, scan: string): Map<string, ManifestLine[]> {
  const contents = new Map<string, ManifestLine[]>();
  for (const line of readManifest(destination, scan)) {
    if (line.sha256 === undefined) continue;
    contents.set(line.sha256, [...(contents.get(line.sha256) ?? []), line]);
  }
  return contents;
}

/** tree/ holds only bytes that a receipt names, and each receipt names bytes that are there. */
export function expectOnlyReceipted(destination: string): void {
  const content = join(destination, 'content');
  const receipts = filesBelow(content)
    .filter((file) => file.endsWith('receipt.json'))
    .map((file) => receiptSchema.parse(JSON.parse(readFileSync(join(content, file), 'utf8'))));
  const rebuilt = new Set<string>();
  for (const receipt of receipts) {
    for (const stored of [receipt.rebuilt, receipt.report]) {
      if (!stored) continue;
      const bytes = readFileSync(join(destination, stored.key));
      expect({ size: bytes.length, sha256: sha256(bytes) }).toEqual({
        size: stored.size,
        sha256: stored.sha256,
      });
    }
    if (receipt.rebuilt) rebuilt.add(receipt.rebuilt.sha256);
  }
  const tree = join(destination, 'tree');
  if (!statSync(tree, { throwIfNoEntry: false })) return;
  for (const file of filesBelow(tree)) expect([...rebuilt]).toContain(sha256(readFileSync(join(tree, file))));
}

/** No pod of this worker's and no lock of its is left. Deletion takes the kubelet a moment. */
export async function expectNothingLeft(worker: WorkerProcess): Promise<void> {
  const config = new KubeConfig();
  config.loadFromFile(stackVariable('KUBECONFIG'));
  const api = config.makeApiClient(CoreV1Api);
  const pods = async () =>
    (
      await api.listNamespacedPod({
        namespace: 'pristine-files',
        labelSelector: `pristine.dev/instance=${worker.instance}`,
      })
    ).items.map((pod) => pod.metadata?.name);
  for (let round = 0; round < 300 && (await pods()).length > 0; round++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(await pods()).toEqual([]);
  const quiet = { info() {}, warn() {}, error() {}, debug() {} };
  const redis = connectRedis({ url: worker.redisUrl, log: quiet });
  try {
    expect(await Array.fromAsync(createRedisLocks(redis, { prefix: worker.keyPrefix }).list())).toEqual([]);
  } finally {
    redis.disconnect();
  }
}
