/** Activities as Temporal sees them: one factory a task queue, each closed over its dependencies. */
import { Context } from '@temporalio/activity';
import type { RetryInput } from '../workflows/contract.ts';
import type { AttachToFileInput } from './attach-to-file.ts';
import { attachToFile } from './attach-to-file.ts';
import type { ClaimContentInput } from './claim-content.ts';
import { claimContent, releaseContent } from './claim-content.ts';
import type { CollectResultInput } from './collect-result.ts';
import { collectResult } from './collect-result.ts';
import type { Dependencies } from './dependencies.ts';
import { withFailures } from './failures.ts';
import type { FinishScanInput } from './finish-scan.ts';
import { clearScan, finishScan } from './finish-scan.ts';
import type { ListPageInput } from './list-page.ts';
import { listPage } from './list-page.ts';
import type { OpenScanInput } from './open-scan.ts';
import { openScan } from './open-scan.ts';
import type { AwaitPodInput, CreatePodInput } from './pods.ts';
import { awaitPod, createPod, deletePod } from './pods.ts';
import type { QuarantineContentInput } from './quarantine-content.ts';
import { quarantineContent } from './quarantine-content.ts';
import { retryQuarantined } from './retry-quarantined.ts';
import type { SettleFilesInput } from './settle-files.ts';
import { settleFiles } from './settle-files.ts';

const heartbeat = (details?: unknown) => Context.current().heartbeat(details);
const signal = () => Context.current().cancellationSignal;

/** Told of every file, reports now and then: a report costs more than a look at a file. */
function sparingly({ settings }: Dependencies): (details?: unknown) => void {
  let next = 0;
  return (details) => {
    if (Date.now() < next) return;
    next = Date.now() + settings.heartbeatMs / 2;
    heartbeat(details);
  };
}

/** For a step whose time depends on a file's size: a worker that dies meanwhile is noticed by its silence. */
async function beating<T>(deps: Dependencies, run: () => Promise<T>): Promise<T> {
  const beats = setInterval(heartbeat, deps.settings.heartbeatMs);
  try {
    return await run();
  } finally {
    clearInterval(beats);
  }
}

/** Need no volume and no cluster. */
export function createOrchestrateActivities(deps: Dependencies) {
  return withFailures({
    attachToFile: (input: AttachToFileInput) => attachToFile(deps, input, heartbeat, signal()),
  });
}

/** Need the source and the destination at hand, the index, and pod logs. */
export function createFileActivities(deps: Dependencies) {
  return withFailures({
    openScan: (input: OpenScanInput) => openScan(deps, input),
    listPage: (input: ListPageInput) => listPage(deps, input, sparingly(deps), signal()),
    claimContent: (input: ClaimContentInput) => claimContent(deps, input),
    releaseContent: (input: { sha256: string; fingerprint: string; owner: string }) =>
      releaseContent(deps, input),
    collectResult: (input: CollectResultInput) => beating(deps, () => collectResult(deps, input)),
    quarantineContent: (input: QuarantineContentInput) => quarantineContent(deps, input),
    settleFiles: (input: SettleFilesInput) => settleFiles(deps, input, sparingly(deps)),
    finishScan: (input: FinishScanInput) => finishScan(deps, input, sparingly(deps)),
    clearScan: (input: { scanId: string; destination: string }) => clearScan(deps, input, heartbeat),
    retryQuarantined: (input: RetryInput) =>
      retryQuarantined(deps, input, heartbeat, Context.current().info.heartbeatDetails),
  });
}

/** Need the cluster. */
export function createPodActivities(deps: Dependencies) {
  return withFailures({
    createPod: (input: CreatePodInput) => createPod(deps, input),
    awaitPod: (input: AwaitPodInput) => awaitPod(deps, input, heartbeat, signal()),
    deletePod: (pod: { name: string; uid: string }) => deletePod(deps, pod),
  });
}

export type OrchestrateActivities = ReturnType<typeof createOrchestrateActivities>;
export type FileActivities = ReturnType<typeof createFileActivities>;
export type PodActivities = ReturnType<typeof createPodActivities>;
