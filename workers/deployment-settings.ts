/** The part of the environment that says which version of the workers is meant, and where Temporal is. */
import { z } from 'zod';
import { type Deployment, deploymentVariables } from './deployment.ts';
import {
  type TemporalSettings,
  taskQueueVariable,
  temporalSettings,
  temporalVariables,
} from './temporal-config.ts';
import { ConfigError, parseVariables, setVariables } from './variables.ts';

const schema = z.object({
  ...temporalVariables,
  ...taskQueueVariable,
  PRISTINE_DEPLOYMENT_NAME: deploymentVariables.PRISTINE_DEPLOYMENT_NAME.unwrap(),
  PRISTINE_BUILD_ID: deploymentVariables.PRISTINE_BUILD_ID.unwrap(),
});

export type DeploymentSettings = { temporal: TemporalSettings; taskQueue: string; deployment: Deployment };

/** Throws ConfigError with all problems at once. */
export function readDeploymentSettings(env: NodeJS.ProcessEnv): DeploymentSettings {
  const { data, problems } = parseVariables(schema, setVariables(env));
  if (data === undefined) {
    throw new ConfigError(
      `No version can be made current with this configuration:\n  ${problems.join('\n  ')}`,
    );
  }
  return {
    temporal: temporalSettings(data),
    taskQueue: data.PRISTINE_TASK_QUEUE,
    deployment: { name: data.PRISTINE_DEPLOYMENT_NAME, buildId: data.PRISTINE_BUILD_ID },
  };
}
