import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  getExternalWorkflowHandle,
  isCancellation,
  patched,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { Collected } from '../activities/collect-result.ts';
import type { CreatedPod } from '../activities/pods.ts';
import { fileSteps, podSteps } from './activity-proxies.ts';
import type { FileResult, RebuildFileInput } from './contract.ts';
import { indexProfile, SEARCH_ATTRIBUTE, SIGNAL } from './contract.ts';
import { FAILURE, failuresBefore, podRefused } from './file-failures.ts';
import type { AttemptFailure } from './next-step.ts';
import { nextStep, nextTier, waitForRoomMs } from './next-step.ts';

/** Seconds that awaiting may last beyond the pod's own deadlines, for their end to be seen. */
const AWAIT_SLACK_SECONDS = 120;

/**
 * One content under one profile: claim, pod, verdict, receipt, record. Completes with what was rebuilt or
 * refused. A counted attempt is one run: it fails with type `AttemptFailed`, and Temporal's retry policy, which
 * the scan sets, begins the next run or none. What has no result for good fails the workflow, so that its ID is
 * free for a later try: type `NotRebuilt` with the FileResult as details (quarantined, changed, gone), `Blocked`
 * when a person must mend something, `Unprocessed` when a step of ours failed for good.
 */
export async function rebuildFile(input: RebuildFileInput): Promise<FileResult> {
  // The same for all runs of one chain: the next run finds the lock its own.
  const { firstExecutionRunId: owner, lastFailure } = workflowInfo();
  try {
    const claim = await fileSteps({ summary: 'is it done already? if not, lock it' }).claimContent({
      sha256: input.sha256,
      profile: input.profile,
      destination: input.destination,
      ignoreRecord: input.ignoreRecord,
      scanId: input.scanId,
      owner,
    });
    if (claim.kind === 'done') return finish(input, claim.result);
    return await attemptUntilDecided(input, owner, failuresBefore(lastFailure));
  } catch (error) {
    if (
      error instanceof ApplicationFailure &&
      (error.type === FAILURE.attempt || error.type === FAILURE.noResult)
    )
      throw error;
    await CancellationScope.nonCancellable(() => release(input, owner));
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    throw ApplicationFailure.create({
      type: FAILURE.unprocessed,
      nonRetryable: true,
      message: `could not be processed: ${error.cause?.message ?? error.message}`,
    });
  }
}

async function attemptUntilDecided(
  input: RebuildFileInput,
  owner: string,
  failures: AttemptFailure[],
): Promise<FileResult> {
  for (let waits = 0; ; ) {
    const attempt = failures.length + 1;
    const { pod, collected } = await attemptOnce(input, owner, attempt, nextTier(failures, input.maxTier));
    const base = { attempts: attempt, pod: pod?.name, destination: input.destination };
    if (collected.kind === 'committed') {
      const { verdict: outcome, reason, receipt, engineSeconds, reused } = collected;
      const fingerprint = input.profile.base === undefined ? undefined : input.profile.fingerprint;
      return finish(input, { ...base, outcome, reason, receipt, fingerprint, engineSeconds, reused });
    }
    if (collected.kind === 'moved') {
      await release(input, owner);
      return finish(input, { ...base, outcome: collected.outcome, reason: collected.reason, reused: false });
    }
    if (collected.class === 'capacity') {
      waits += 1;
      await waitForRoom(input, collected.reason, waits);
      continue;
    }
    waits = 0;
    failures.push({ class: collected.class, reason: collected.reason });
    const step = nextStep(failures, input.retries);
    switch (step.kind) {
      case 'blocked':
        throw blocked(step.reason);
      case 'again':
        await sleep(step.delayMs, { summary: `attempt ${attempt} was lost: ${collected.class}` });
        break;
      case 'next-run':
        throw ApplicationFailure.create({
          type: FAILURE.attempt,
          message: `attempt ${attempt}, ${collected.class}: ${collected.reason}`,
          nextRetryDelay: step.delayMs,
          details: [failures],
        });
      case 'quarantine': {
        const { class: failure, logs, report } = collected;
        await fileSteps({ summary: 'quarantine, unlock' }).quarantineContent({
          sha256: input.sha256,
          profile: input.profile,
          destination: input.destination,
          owner,
          quarantine: {
            reason: step.reason,
            class: failure,
            attempts: attempt,
            pod: pod?.name,
            logs,
            report,
          },
        });
        return finish(input, {
          ...base,
          outcome: 'quarantined',
          reason: step.reason,
          class: failure,
          reused: false,
        });
      }
    }
  }
}

type Attempt = { pod?: CreatedPod; collected: Collected };

/** One pod from its making to its deletion. Whatever ends the workflow meanwhile, the pod is deleted. */
async function attemptOnce(
  input: RebuildFileInput,
  owner: string,
  attempt: number,
  tier: number,
): Promise<Attempt> {
  const { workflowId, runId } = workflowInfo();
  const nth = attempt === 1 ? '' : `, attempt ${attempt}`;
  let pod: CreatedPod;
  try {
    pod = await podSteps({ summary: `make the pod${nth}` }).createPod({
      file: input,
      workflowId,
      runId,
      attempt,
      slot: `a${attempt}-${runId.replaceAll('-', '').slice(0, 10)}`,
      tier,
    });
  } catch (error) {
    const refused = podRefused(error);
    if (refused === undefined) throw error;
    return { collected: { kind: 'failed', ...refused } };
  }
  try {
    const outcome = await podSteps({
      summary: `fetch, engine, upload${nth}`,
      heartbeatMs: input.heartbeatMs,
      seconds: input.podSeconds + AWAIT_SLACK_SECONDS,
    }).awaitPod({ pod, sha256: input.sha256, profile: input.profile, owner });
    const collected = await fileSteps({
      summary: `keep logs, verify, commit, record${nth}`,
      heartbeatMs: input.heartbeatMs,
    }).collectResult({ file: input, pod, attempt, outcome, owner });
    return { pod, collected };
  } finally {
    await CancellationScope.nonCancellable(() => deletePod(pod, nth));
  }
}

/** A deletion that fails takes no result away and hides no other failure: the sweeper deletes what is left. */
async function deletePod({ name, uid }: CreatedPod, nth: string): Promise<void> {
  try {
    await podSteps({ summary: `delete the pod${nth}` }).deletePod({ name, uid });
  } catch (error) {
    if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
    // Before, the workflow failed here. Asked only here, so that no other history gets a marker.
    if (!patched('left-to-the-sweeper')) throw error;
  }
}

/** The scan is told, so that it keeps fewer files in work; then the cluster gets some time. */
async function waitForRoom(input: RebuildFileInput, reason: string, nth: number): Promise<void> {
  // After so many waits, days of them, somebody has to look.
  if (workflowInfo().continueAsNewSuggested) throw blocked(reason);
  await getExternalWorkflowHandle(input.scanId)
    .signal(SIGNAL.capacityShort, reason)
    // A scan that was terminated keeps no window.
    .catch((error: unknown) => {
      if (isCancellation(error)) throw error;
    });
  await sleep(waitForRoomMs(nth), { summary: 'no room in the cluster' });
}

async function release(input: RebuildFileInput, owner: string): Promise<void> {
  await fileSteps({ summary: 'unlock' }).releaseContent({
    sha256: input.sha256,
    fingerprint: indexProfile(input.profile),
    owner,
  });
}

function finish(input: RebuildFileInput, result: FileResult): FileResult {
  if (input.searchAttributes) upsertSearchAttributes({ [SEARCH_ATTRIBUTE.outcome]: [result.outcome] });
  if (result.outcome === 'rebuilt' || result.outcome === 'refused') return result;
  throw ApplicationFailure.create({
    type: FAILURE.noResult,
    nonRetryable: true,
    message: `${result.outcome}: ${result.reason ?? 'no reason was kept'}`,
    details: [result],
  });
}

function blocked(reason: string): ApplicationFailure {
  return ApplicationFailure.create({ type: FAILURE.blocked, nonRetryable: true, message: reason });
}
