import {
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { Collected } from '../activities/collect-result.ts';
import type { PodRef } from '../drivers/ports.ts';
import { fileSteps, podSteps } from './activity-proxies.ts';
import type { FileResult, RebuildFileInput } from './contract.ts';
import { SEARCH_ATTRIBUTE } from './contract.ts';
import type { AttemptFailure } from './next-step.ts';
import { nextStep } from './next-step.ts';

/** Seconds that awaiting may last beyond the pod's own deadlines, for their end to be seen. */
const AWAIT_SLACK_SECONDS = 120;

/**
 * One content under one profile: claim, pod, verdict, receipt, record. Completes with what was rebuilt or
 * refused. What has no result fails the workflow, so that its ID is free for a later try: type `NotRebuilt`
 * with the FileResult as details (quarantined, changed, gone), or `Blocked` when a person must mend something.
 */
export async function rebuildFile(input: RebuildFileInput): Promise<FileResult> {
  const { runId } = workflowInfo();
  const content = { sha256: input.sha256, fingerprint: input.profile.fingerprint };

  const claim = await fileSteps({ summary: 'is it done already? if not, lock it' }).claimContent({
    sha256: input.sha256,
    profile: input.profile,
    destination: input.destination,
    ignoreRecord: input.ignoreRecord,
    scanId: input.scanId,
    owner: runId,
  });
  if (claim.kind === 'done') return finish(input, claim.result);

  try {
    const result = await attemptUntilDecided(input, runId);
    if (result.outcome === 'changed' || result.outcome === 'gone') {
      await release(content, runId);
      return finish(input, result);
    }
    await fileSteps({ summary: `record as ${result.outcome}, unlock` }).recordContent({
      ...content,
      record: { verdict: result.outcome, destination: input.destination },
      owner: runId,
      quarantine:
        result.outcome === 'quarantined'
          ? { reason: result.reason ?? 'unknown', attempts: result.attempts, pod: result.pod }
          : undefined,
    });
    return finish(input, result);
  } catch (error) {
    if (!isDecision(error)) await CancellationScope.nonCancellable(() => release(content, runId));
    throw error;
  }
}

async function attemptUntilDecided(input: RebuildFileInput, runId: string): Promise<FileResult> {
  const failures: AttemptFailure[] = [];
  let tier = 0;
  for (let attempt = 1; ; attempt++) {
    const { pod, collected } = await attemptOnce(input, runId, attempt, tier);
    const base = { attempts: attempt, pod: pod.name, destination: input.destination };
    switch (collected.kind) {
      case 'committed':
        return {
          ...base,
          outcome: collected.verdict,
          reason: collected.reason,
          receipt: collected.receipt,
          engineSeconds: collected.engineSeconds,
          reused: collected.reused,
        };
      case 'moved':
        return { ...base, outcome: collected.outcome, reason: collected.reason, reused: false };
      case 'failed': {
        failures.push(collected);
        const step = nextStep(failures, { retries: input.retries, maxTier: input.maxTier });
        if (step.kind === 'blocked') throw blocked(step.reason);
        if (step.kind === 'quarantine') {
          return { ...base, outcome: 'quarantined', reason: step.reason, reused: false };
        }
        tier = step.tier;
        await sleep(step.delayMs, { summary: `attempt ${attempt} failed: ${collected.class}` });
      }
    }
  }
}

/** One pod from its making to its deletion. Whatever ends the workflow meanwhile, the pod is deleted. */
async function attemptOnce(
  input: RebuildFileInput,
  runId: string,
  attempt: number,
  tier: number,
): Promise<{ pod: PodRef; collected: Collected }> {
  const { workflowId } = workflowInfo();
  const nth = attempt === 1 ? '' : `, attempt ${attempt}`;
  const pod = await podSteps({ summary: `make the pod${nth}` }).createPod({
    file: input,
    workflowId,
    runId,
    attempt,
    slot: `a${attempt}-${runId.replaceAll('-', '').slice(0, 10)}`,
    tier,
  });
  try {
    const outcome = await podSteps({
      summary: `fetch, engine, upload${nth}`,
      heartbeatMs: input.heartbeatMs,
      seconds: input.podSeconds + AWAIT_SLACK_SECONDS,
    }).awaitPod({
      pod,
      sha256: input.sha256,
      fingerprint: input.profile.fingerprint,
      owner: runId,
    });
    const collected = await fileSteps({
      summary: `keep logs, verify, commit${nth}`,
      heartbeatMs: input.heartbeatMs,
    }).collectResult({
      file: input,
      pod,
      attempt,
      outcome,
    });
    return { pod, collected };
  } finally {
    await CancellationScope.nonCancellable(() =>
      podSteps({ summary: `delete the pod${nth}` }).deletePod({ name: pod.name, uid: pod.uid }),
    );
  }
}

async function release(content: { sha256: string; fingerprint: string }, owner: string): Promise<void> {
  await fileSteps({ summary: 'unlock' }).releaseContent({ ...content, owner });
}

function finish(input: RebuildFileInput, result: FileResult): FileResult {
  if (input.searchAttributes) upsertSearchAttributes({ [SEARCH_ATTRIBUTE.outcome]: [result.outcome] });
  if (result.outcome === 'rebuilt' || result.outcome === 'refused') return result;
  throw ApplicationFailure.create({
    type: 'NotRebuilt',
    nonRetryable: true,
    message: `${result.outcome}: ${result.reason ?? 'no reason was kept'}`,
    details: [result],
  });
}

function blocked(reason: string): ApplicationFailure {
  return ApplicationFailure.create({ type: 'Blocked', nonRetryable: true, message: reason });
}

/** Thrown by `finish` after everything was recorded or released: nothing is left to free. */
function isDecision(error: unknown): boolean {
  return !isCancellation(error) && error instanceof ApplicationFailure && error.type === 'NotRebuilt';
}
