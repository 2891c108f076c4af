import { setTimeout as sleep } from 'node:timers/promises';
import { Connection, isGrpcServiceError, type WorkflowService } from '@temporalio/client';
import type { DeploymentSettings } from '../workers/deployment-settings.ts';
import { noTemporal } from '../workers/no-temporal.ts';
import { temporalOptions } from '../workers/temporal-options.ts';
import { type Current, currentBuild, unpolledQueues } from './deployment-state.ts';

/** Of one question. */
const ANSWER_MS = 10_000;
const PAUSE_MS = 1_000;
/** Once it is current, for every queue to be told. A server whose own check of that has failed says "not yet" for ever. */
const SPREAD_MS = 60_000;

/** gRPC's codes of what waiting doesn't mend: INVALID_ARGUMENT, PERMISSION_DENIED, UNIMPLEMENTED, UNAUTHENTICATED. */
const FINAL = [3, 7, 12, 16];
const UNAVAILABLE = 14;

/** `spreading`: it is current, but Temporal has not said that every queue goes by it. */
export type MadeCurrent = { name: string; buildId: string; before: string | undefined; spreading: boolean };

/**
 * Waits until workers of this version poll every queue, so that nothing is sent where nobody is, makes it the current
 * one, and waits a minute for every queue to go by it. What is current already is left as it is.
 */
export async function makeCurrent(settings: DeploymentSettings, waitMs: number): Promise<MadeCurrent> {
  const { temporal, deployment } = settings;
  const { name, buildId } = deployment;
  const options = await temporalOptions({ temporal });
  const connection = Connection.lazy(options);
  const end = Date.now() + waitMs;
  let first: Current | undefined;
  let currentSince: number | undefined;
  try {
    for (;;) {
      const { found, waitsFor }: Look = await connection
        .withDeadline(Date.now() + ANSWER_MS, () => makeCurrentOnce(connection.workflowService, settings))
        .catch((error: Error) => ({ waitsFor: error }));
      first ??= found;
      const made = { name, buildId, before: first?.buildId };
      if (waitsFor === undefined) return { ...made, spreading: false };
      if (found?.buildId === buildId) currentSince ??= Date.now();
      if (goneOnLongEnough(currentSince, end, Date.now())) return { ...made, spreading: true };
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

/** Whether a version that is current is to be waited for no more. Milliseconds since the epoch. */
export function goneOnLongEnough(currentSince: number | undefined, end: number, now: number): boolean {
  return currentSince !== undefined && now >= Math.min(end, currentSince + SPREAD_MS);
}

/** `found`: what was current; `waitsFor`: why it is not over yet. */
type Look = { found?: Current | undefined; waitsFor?: Error | undefined };

/** One look and at most one step. */
export async function makeCurrentOnce(service: WorkflowService, settings: DeploymentSettings): Promise<Look> {
  const { namespace } = settings.temporal;
  const { name, buildId } = settings.deployment;
  const unpolled = await unpolledQueues(service, settings);
  if (unpolled.length > 0) return { waitsFor: new Error(`none of its workers polls ${unpolled.join(', ')}`) };
  const found = await currentBuild(service, settings);
  if (found.buildId === buildId && !found.spreading) return { found };
  if (found.buildId !== buildId) {
    await service.setWorkerDeploymentCurrentVersion({ namespace, deploymentName: name, buildId });
  }
  return { found, waitsFor: new Error('Temporal has not told every task queue yet') };
}

function refused({ name, buildId }: DeploymentSettings['deployment'], cause: unknown, when = ''): Error {
  const why = isGrpcServiceError(cause) ? cause.details : cause instanceof Error ? cause.message : cause;
  return new Error(`Version ${buildId} of ${name} was not made current${when && ` ${when}`}: ${why}.`, {
    cause,
  });
}
