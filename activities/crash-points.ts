/**
 * Named moments between two effects, at which a test build may end the process. A worker as it is shipped has
 * nothing there. This file imports nothing.
 */
export const CRASH_POINTS = [
  /** listPage: the page was read, its book not written. */
  'page.hashed',
  /** claimContent: the lock is ours, nobody was told. */
  'content.claimed',
  /** createPod: the API server has the pod, the workflow does not know it. */
  'pod.created',
  /** awaitPod: its end was seen, the workflow does not know it. */
  'pod.ended',
  /** collectResult: the slot was verified, there is no receipt. */
  'result.verified',
  /** collectResult: the receipt stands, there is no record. */
  'result.committed',
  /** collectResult: recorded and unlocked, the workflow does not know it. */
  'result.recorded',
  /** deletePod: the API server took the deletion. */
  'pod.deleted',
  /** settleFiles: delivered, the manifest part not written. */
  'files.delivered',
  /** settleFiles: the manifest part is written, the workflow does not know it. */
  'files.written',
  /** finishScan: manifest written, no summary. */
  'manifest.written',
] as const;
export type CrashPoint = (typeof CRASH_POINTS)[number];
