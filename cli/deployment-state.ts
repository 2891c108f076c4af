/** What Temporal knows of a worker deployment. */
import type { WorkflowService } from '@temporalio/client';
import proto from '@temporalio/proto';
import type { DeploymentSettings } from '../workers/deployment-settings.ts';
import { taskQueues } from '../workflows/contract.ts';

const { TASK_QUEUE_TYPE_WORKFLOW, TASK_QUEUE_TYPE_ACTIVITY } = proto.temporal.api.enums.v1.TaskQueueType;
const { ROUTING_CONFIG_UPDATE_STATE_IN_PROGRESS } = proto.temporal.api.enums.v1.RoutingConfigUpdateState;

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

/** `spreading`: not every task queue goes by it yet. Older servers do not say so. */
export type Current = { buildId: string | undefined; spreading: boolean };

/** The build that is current now; undefined where none is. */
export async function currentBuild(
  service: WorkflowService,
  { temporal: { namespace }, deployment }: DeploymentSettings,
): Promise<Current> {
  const { workerDeploymentInfo } = await service.describeWorkerDeployment({
    namespace,
    deploymentName: deployment.name,
  });
  return {
    buildId: workerDeploymentInfo?.routingConfig?.currentDeploymentVersion?.buildId || undefined,
    spreading: workerDeploymentInfo?.routingConfigUpdateState === ROUTING_CONFIG_UPDATE_STATE_IN_PROGRESS,
  };
}
