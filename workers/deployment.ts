/** Worker versioning, an option: which deployment this process belongs to, and as which build. See ADR 12. */
import type { WorkerOptions } from '@temporalio/worker';
import { z } from 'zod';

// Temporal joins the two with a dot or a colon and keeps names with two underscores in front for itself.
const NAME = /^[a-z0-9][a-z0-9_-]{0,99}$/i;
const BUILD = /^[a-z0-9][a-z0-9._+-]{0,99}$/i;

export const deploymentVariables = {
  PRISTINE_DEPLOYMENT_NAME: z
    .string()
    .regex(NAME, 'must be at most 100 letters, digits, dashes and underscores')
    .optional(),
  PRISTINE_BUILD_ID: z
    .string()
    .regex(BUILD, 'must be at most 100 letters, digits, dashes, underscores, dots and plus signs')
    .optional(),
};

export type Deployment = { name: string; buildId: string };

/** undefined: not versioned, as Temporal's workers are by default. */
export function deploymentOf(env: z.infer<z.ZodObject<typeof deploymentVariables>>): Deployment | undefined {
  const { PRISTINE_DEPLOYMENT_NAME: name, PRISTINE_BUILD_ID: buildId } = env;
  return name === undefined || buildId === undefined ? undefined : { name, buildId };
}

/** To be spread into each worker's options. What each workflow type does stands beside it, in workflows/. */
export function deploymentOptions({
  deployment,
}: {
  deployment: Deployment | undefined;
}): Pick<WorkerOptions, 'workerDeploymentOptions'> {
  if (deployment === undefined) return {};
  return {
    workerDeploymentOptions: {
      version: { deploymentName: deployment.name, buildId: deployment.buildId },
      useWorkerVersioning: true,
      defaultVersioningBehavior: 'AUTO_UPGRADE',
    },
  };
}
