import { setTimeout as sleep } from 'node:timers/promises';
import { Connection, isGrpcServiceError } from '@temporalio/client';
import type { DeploymentSettings } from '../workers/deployment-settings.ts';
import { noTemporal } from '../workers/no-temporal.ts';
import { temporalOptions } from '../workers/temporal-options.ts';
import { currentBuild, unpolledQueues } from './deployment-state.ts';

/** Of one question. */
const ANSWER_MS = 10_000;
const PAUSE_MS = 1_000;

/** gRPC's codes of what waiting doesn't mend: INVALID_ARGUMENT, PERMISSION_DENIED, UNIMPLEMENTED, UNAUTHENTICATED. */
const FINAL = [3, 7, 12, 16];
const UNAVAILABLE = 14;

/**
 * Waits until workers of this version poll every queue, so that nothing is sent where nobody is, then makes it the
 * current one. What is current already is left as it is.
 */
export async function makeCurrent(
  settings: DeploymentSettings,
  waitMs: number,
): Promise<{ name: string; buildId: string; before: string | undefined }> {
  const { temporal, deployment } = settings;
  const { name, buildId } = deployment;
  const options = await temporalOptions({ temporal });
  const connection = Connection.lazy(options);
  const end = Date.now() + waitMs;
  try {
    for (;;) {
      const { done, before, waitsFor } = await connection
        .withDeadline(Date.now() + ANSWER_MS, () => attempt(connection, settings))
        .catch((error: unknown) => ({ done: false, before: undefined, waitsFor: error }));
      if (done) return { name, buildId, before };
      if (isGrpcServiceError(waitsFor) && FINAL.includes(waitsFor.code)) throw refused(deployment, waitsFor);
      if (Date.now() >= end) {
        if (isGrpcServiceError(waitsFor) && waitsFor.code === UNAVAILABLE)
          throw await noTemporal(options, waitsFor);
        throw refused(deployment, waitsFor, `after ${waitMs / 1_000} s`);
      }
      await sleep(PAUSE_MS);
    }
  } finally {
    await connection.close();
  }
}

async function attempt({ workflowService }: Connection, settings: DeploymentSettings) {
  const { namespace } = settings.temporal;
  const { name, buildId } = settings.deployment;
  const unpolled = await unpolledQueues(workflowService, settings);
  if (unpolled.length > 0) {
    const waitsFor = new Error(`none of its workers polls ${unpolled.join(', ')}`);
    return { done: false, before: undefined, waitsFor };
  }
  const before = await currentBuild(workflowService, settings);
  if (before !== buildId) {
    await workflowService.setWorkerDeploymentCurrentVersion({ namespace, deploymentName: name, buildId });
  }
  return { done: true, before, waitsFor: undefined };
}

function refused({ name, buildId }: DeploymentSettings['deployment'], cause: unknown, when = ''): Error {
  const why = isGrpcServiceError(cause) ? cause.details : cause instanceof Error ? cause.message : cause;
  return new Error(`Version ${buildId} of ${name} was not made current${when && ` ${when}`}: ${why}.`, {
    cause,
  });
}
