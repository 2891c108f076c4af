/** What Temporal knows of a worker deployment. */
import type { WorkflowService } from '@temporalio/client';
import proto from '@temporalio/proto';
import type { DeploymentSettings } from '../workers/deployment-settings.ts';
import { taskQueues } from '../workflows/contract.ts';

const { TASK_QUEUE_TYPE_WORKFLOW, TASK_QUEUE_TYPE_ACTIVITY } = proto.temporal.api.enums.v1.TaskQueueType;

/** Queues of a release that no worker of this version polls, which Temporal notices some minutes late. */
export async function unpolledQueues(
  service: WorkflowService,
  { temporal: { namespace }, taskQueue, deployment }: DeploymentSettings,
): Promise<string[]> {
  const { orchestrate, files, pods } = taskQueues(taskQueue);
  const wanted = [
    { name: orchestrate, taskQueueType: TASK_QUEUE_TYPE_WORKFLOW },
    ...[orchestrate, files, pods].map((name) => ({ name, taskQueueType: TASK_QUEUE_TYPE_ACTIVITY })),
  ];
  const unpolled = await Promise.all(
    wanted.map(async ({ name, taskQueueType }) => {
      const { pollers } = await service.describeTaskQueue({ namespace, taskQueue: { name }, taskQueueType });
      const ours = (pollers ?? []).some(
        ({ deploymentOptions }) =>
          deploymentOptions?.deploymentName === deployment.name &&
          deploymentOptions.buildId === deployment.buildId,
      );
      return ours ? [] : [name];
    }),
  );
  return [...new Set(unpolled.flat())];
}

/** The build that is current now. undefined: none is, or Temporal has no such deployment yet. */
export async function currentBuild(
  service: WorkflowService,
  { temporal: { namespace }, deployment }: DeploymentSettings,
): Promise<string | undefined> {
  const { workerDeploymentInfo } = await service.describeWorkerDeployment({
    namespace,
    deploymentName: deployment.name,
  });
  return workerDeploymentInfo?.routingConfig?.currentDeploymentVersion?.buildId || undefined;
}
