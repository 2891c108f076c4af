import type { NativeConnection } from '@temporalio/worker';
import { bundleWorkflowCode, Worker, type WorkerOptions } from '@temporalio/worker';
import {
  createFileActivities,
  createOrchestrateActivities,
  createPodActivities,
} from '../activities/create-activities.ts';
import type { Dependencies } from '../activities/dependencies.ts';
import { EVENT, type Logger } from '../drivers/events.ts';
import { taskQueues } from '../workflows/contract.ts';
import type { WorkerConfig } from './config.ts';
import { dataConverterOf } from './data-converter.ts';
import { deploymentOptions } from './deployment.ts';

export type Workers = {
  /** Resolves when all have drained; rejects as soon as one fails, after the others have drained. */
  run(): Promise<void>;
  shutdown(): void;
  alive(): boolean;
  polling(): boolean;
};

/** One Temporal worker a role, each on its own task queue with its own slots. */
export async function createWorkers(
  config: WorkerConfig,
  connection: NativeConnection,
  deps: Dependencies,
  logger: Logger,
  workflowBundle?: { codePath: string },
): Promise<Workers> {
  const queues = taskQueues(config.temporal.taskQueue);
  const common = {
    connection,
    namespace: config.temporal.namespace,
    shutdownGraceTime: config.shutdownGraceMs,
    ...dataConverterOf(config),
    ...deploymentOptions(config),
  };
  const options: Record<WorkerConfig['roles'][number], () => Promise<WorkerOptions>> = {
    orchestrate: async () => ({
      ...common,
      taskQueue: queues.orchestrate,
      workflowBundle:
        workflowBundle ??
        (await bundleWorkflows(logger, {
          failureConverterPath: common.dataConverter?.failureConverterPath,
          versioned: config.deployment !== undefined,
        })),
      activities: createOrchestrateActivities(deps),
      // Each waits for another scan's file and does nothing meanwhile.
      maxConcurrentActivityTaskExecutions: config.concurrency.attach,
    }),
    files: async () => ({
      ...common,
      taskQueue: queues.files,
      activities: createFileActivities(deps),
      maxConcurrentActivityTaskExecutions: config.concurrency.files,
    }),
    pods: async () => ({
      ...common,
      taskQueue: queues.pods,
      activities: createPodActivities(deps),
      // Waiting for a pod holds a slot and costs nothing else: there is one watch for all of them.
      maxConcurrentActivityTaskExecutions: config.concurrency.pods,
    }),
  };
  const workers = await Promise.all(config.roles.map(async (role) => Worker.create(await options[role]())));
  const shutdown = () => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  return {
    async run() {
      const runs = workers.map((worker) => worker.run());
      for (const run of runs) run.catch(shutdown);
      const ends = await Promise.allSettled(runs);
      const failed = ends.find((end) => end.status === 'rejected');
      if (failed) throw failed.reason;
    },
    shutdown,
    alive: () => workers.every((worker) => worker.getState() !== 'FAILED'),
    polling: () => workers.every((worker) => worker.getState() === 'RUNNING'),
  };
}

export type BundleOptions = {
  /** That of the workers' data converter: failures are made inside the bundle too. */
  failureConverterPath?: string | undefined;
  /** For workers that belong to a deployment. */
  versioned?: boolean;
};

export function bundleWorkflows(
  logger: Pick<Logger, 'warn' | 'error'>,
  { failureConverterPath, versioned = false }: BundleOptions = {},
) {
  return bundleWorkflowCode({
    ...(failureConverterPath === undefined ? {} : { failureConverterPath }),
    workflowsPath: new URL(`../workflows/${versioned ? 'versioned' : 'index'}.ts`, import.meta.url).pathname,
    logger: {
      log: () => {},
      trace: () => {},
      debug: () => {},
      info: () => {},
      warn: (message) => logger.warn({ event: EVENT.sdkLogged }, message),
      error: (message) => logger.error({ event: EVENT.sdkLogged }, message),
    },
  });
}
