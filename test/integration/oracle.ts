/** What must hold after every scan, looked at from outside: the destination, the cluster and Redis. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect } from '@jest/globals';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { receiptSchema } from '../../activities/receipt.ts';
import type { ManifestLine } from '../../activities/settle-files.ts';
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
  const redis = connectRedis({ url: stackVariable('REDIS_URL'), log: quiet });
  try {
    expect(await Array.fromAsync(createRedisLocks(redis, { prefix: worker.keyPrefix }).list())).toEqual([]);
  } finally {
    redis.disconnect();
  }
}
