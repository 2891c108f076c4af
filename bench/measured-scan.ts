/** One scan by the bench's own worker, and everything that it cost. */
import { pathToFileURL } from 'node:url';
import type { Client } from '@temporalio/client';
import type { ScanClient } from '../cli/scan-client.ts';
import type { Outcome } from '../workflows/contract.ts';
import { type ApiRequest, auditMark, requestsSince } from './api-requests.ts';
import { chainOf, type Run } from './histories.ts';
import { type MemorySamples, processorSeconds, watchMemory } from './memory.ts';
import type { OwnWorker } from './own-worker.ts';
import type { CommandWatch } from './redis-commands.ts';
import { timedScan } from './timed-scan.ts';

export type Bench = {
  run: string;
  /** Of this bench alone; the worker may read and write it. */
  folder: string;
  worker: OwnWorker;
  scans: ScanClient;
  client: Client;
  commands: CommandWatch;
  /** Names of the Lua scripts by sha1. */
  scripts: ReadonlyMap<string, string>;
  parallel: number;
};

export type MeasuredScan = {
  files: number;
  /** From the start of the scan until its result. */
  seconds: number;
  /** Of the worker, on whatever else the machine was doing. */
  processorSeconds: number;
  memory: MemorySamples;
  /** Commands that the worker sent to Redis. */
  commands: Map<string, number>;
  /** All requests to the Kubernetes API meanwhile, whoever's; null where there is no audit log. */
  requests: ApiRequest[] | null;
  /** The scan's own history. */
  runs: Run[];
};

/** Rejects unless every one of `files` files has the outcome `expected`. */
export async function measuredScan(
  { run, worker, scans, client, commands, parallel }: Bench,
  scan: { name: string; source: string; destination: string; files: number; expected: Outcome },
): Promise<MeasuredScan> {
  const { files, expected } = scan;
  const id = `bench-${run}-${scan.name}`;
  const input = {
    source: pathToFileURL(scan.source).href,
    destination: pathToFileURL(scan.destination).href,
    parallelFiles: parallel,
  };
  const mark = await auditMark(worker.auditLog);
  await commands.take();
  const used = await processorSeconds(worker.pid);
  const [seconds, memory] = await watchMemory(worker.pid, () =>
    timedScan(scans, { id, input, files, expected }),
  );
  const processor = (await processorSeconds(worker.pid)) - used;
  const taken = await commands.take();
  const requests = mark === null ? null : await Array.fromAsync(requestsSince(worker.auditLog, mark));
  const runs = await chainOf(client, id);
  return { files, seconds, processorSeconds: processor, memory, commands: taken, requests, runs };
}
