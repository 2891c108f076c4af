import { podName } from '../drivers/kubernetes/pod-name.ts';
import { profileFingerprint } from '../drivers/profile.ts';
import { ownRequests } from './api-requests.ts';
import type { ChildHistory, NewFileCosts } from './cost-lines.ts';
import type { BenchDocument } from './documents.ts';
import { runOf } from './histories.ts';
import type { Bench, MeasuredScan } from './measured-scan.ts';

/** Attempts whose pods are known by name; more than a scan's default retries. */
const ATTEMPTS = 5;

/** What a scan of new files cost: reads the history of each of its children. */
export async function newFileCosts(
  { client, worker }: Bench,
  { files, commands, requests, runs }: MeasuredScan,
  documents: readonly BenchDocument[],
): Promise<NewFileCosts> {
  const { kubernetes, profiles } = worker.config;
  if (profiles.default === undefined) throw new Error('The worker has no profile named default.');
  const fingerprint = profileFingerprint(profiles.default);
  const attempts = Array.from({ length: ATTEMPTS }, (_, i) => i + 1);
  const pods = new Set(
    documents.flatMap(({ sha256 }) => attempts.map((attempt) => podName(sha256, fingerprint, attempt))),
  );
  const children: ChildHistory[] = [];
  for (const { workflowId, runId } of runs.flatMap((run) => run.children)) {
    const { run } = await runOf(client, workflowId, runId);
    children.push({
      events: run.events.length,
      pods: run.events.filter(({ activity }) => activity === 'createPod').length,
      lostTasks: run.events.filter(({ type }) => /^WORKFLOW_TASK_(TIMED_OUT|FAILED)$/.test(type)).length,
    });
  }
  return {
    files,
    commands,
    requests: requests === null ? null : ownRequests(requests, { pods, instance: kubernetes.instance }),
    children,
    runs,
  };
}
