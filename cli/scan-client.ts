import {
  Client,
  Connection,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import type { WorkerConfig } from '../workers/config.ts';
import { temporalOptions } from '../workers/temporal-options.ts';
import type { Progress } from '../workflows/contract.ts';
import { QUERY, WORKFLOW } from '../workflows/contract.ts';

/** TASK_QUEUE_TYPE_ACTIVITY of Temporal's API: each of the workers' queues has activities, one has workflows. */
const ACTIVITY_TASKS = 2;

/** Scans as somebody outside the workers sees them. Failures are Errors whose message is for a person. */
export type ScanClient = {
  /** On the workers' task queue. */
  start(scan: { id: string; input: object }): Promise<void>;
  progress(id: string): Promise<Progress>;
  update(id: string, name: string, args: readonly unknown[]): Promise<unknown>;
  cancel(id: string): Promise<void>;
  /** The scan's summary; rejects with what it failed for. */
  result(id: string): Promise<unknown>;
  /** Whether a worker has polled this task queue within the last minutes. */
  hasWorker(taskQueue: string): Promise<boolean>;
  close(): Promise<void>;
};

/** Rejects within seconds when nothing answers at the configured address. */
export async function connectScanClient(config: WorkerConfig): Promise<ScanClient> {
  const { address, namespace, taskQueue } = config.temporal;
  const connection = await Connection.connect(await temporalOptions(config)).catch((cause: unknown) => {
    throw new Error(`Temporal does not answer at ${address}.`, { cause });
  });
  const { workflow } = new Client({ connection, namespace });
  return {
    start: ({ id, input }) =>
      explained(id, async () => {
        await workflow.start(WORKFLOW.scan, { workflowId: id, taskQueue, args: [input] });
      }),
    progress: (id) => explained(id, () => workflow.getHandle(id).query<Progress>(QUERY.progress)),
    update: (id, name, args) =>
      explained(id, () => workflow.getHandle(id).executeUpdate<unknown, [unknown]>(name, argumentsOf(args))),
    cancel: (id) =>
      explained(id, async () => {
        await workflow.getHandle(id).cancel();
      }),
    result: (id) => explained(id, () => workflow.getHandle(id).result()),
    async hasWorker(name) {
      const answer = await connection.workflowService.describeTaskQueue({
        namespace,
        taskQueue: { name },
        taskQueueType: ACTIVITY_TASKS,
      });
      return (answer.pollers ?? []).length > 0;
    },
    close: () => connection.close(),
  };
}

/** The SDK's type wants at least one argument where there are any; at run time any number will do. */
function argumentsOf(args: readonly unknown[]): { args: [unknown] } {
  return { args: args as unknown as [unknown] };
}

async function explained<T>(id: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError)
      throw new Error(`There is no scan ${id} that could be asked.`);
    if (error instanceof WorkflowFailedError || error instanceof WorkflowUpdateFailedError) {
      throw new Error(rootMessage(error), { cause: error });
    }
    throw error;
  }
}

/** The innermost message: the layers above it say only which activity or workflow passed it on. */
export function rootMessage(error: Error): string {
  return error.cause instanceof Error ? rootMessage(error.cause) : error.message;
}
