import {
  Client,
  Connection,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import type { WorkerConfig } from '../workers/config.ts';
import { dataConverterOf } from '../workers/data-converter.ts';
import { noTemporal } from '../workers/no-temporal.ts';
import { temporalOptions } from '../workers/temporal-options.ts';
import type { Progress, RetryInput, RetryResult } from '../workflows/contract.ts';
import { QUERY, WORKFLOW } from '../workflows/contract.ts';
import type { ScanLife } from './sweep-scans.ts';

/** TASK_QUEUE_TYPE_ACTIVITY of Temporal's API: each of the workers' queues has activities, one has workflows. */
const ACTIVITY_TASKS = 2;

/** Scans as somebody outside the workers sees them. Failures are Errors whose message is for a person. */
export type ScanClient = {
  /** On the workers' task queue. */
  start(scan: { id: string; input: object }): Promise<void>;
  progress(id: string): Promise<Progress>;
  update(id: string, name: string, args: readonly unknown[]): Promise<unknown>;
  cancel(id: string): Promise<void>;
  /** Starts the workflow that clears quarantined contents; its result rejects with what it failed for. */
  startRetry(start: { id: string; input: RetryInput }): Promise<{ result(): Promise<RetryResult> }>;
  /** Whether the workflow ID has an open run, as far as Temporal knows. */
  lifeOf(id: string): Promise<ScanLife>;
  /** The scan's summary; rejects with what it failed for. */
  result(id: string): Promise<unknown>;
  /** Whether a worker has polled this task queue within the last minutes. */
  hasWorker(taskQueue: string): Promise<boolean>;
  close(): Promise<void>;
};

/** Rejects within seconds when nothing answers at the configured address. */
export async function connectScanClient(config: WorkerConfig): Promise<ScanClient> {
  const { namespace, taskQueue } = config.temporal;
  const options = await temporalOptions(config);
  const connection = await Connection.connect(options).catch(async (cause: unknown) => {
    throw await noTemporal(options, cause);
  });
  const { workflow } = new Client({ connection, namespace, ...dataConverterOf(config) });
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
    startRetry: async ({ id, input }) => {
      const handle = await explained(id, () =>
        workflow.start<(input: RetryInput) => Promise<RetryResult>>(WORKFLOW.retryQuarantined, {
          workflowId: id,
          taskQueue,
          args: [input],
        }),
      );
      return { result: () => explained(id, () => handle.result()) };
    },
    async lifeOf(id) {
      try {
        const { status, closeTime, raw } = await workflow.getHandle(id).describe();
        // A run that continued as new is open under the same ID; so may be what a later server calls otherwise.
        if (closeTime !== undefined && status.name !== 'CONTINUED_AS_NEW')
          return { kind: 'closed', status: status.name, closedAt: closeTime };
        return { kind: 'open', firstRunId: raw.workflowExecutionInfo?.firstRunId ?? '' };
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return { kind: 'unknown' };
        throw error;
      }
    },
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
