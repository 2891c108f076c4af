/** The activities as the workflows call them: which queue, how long, how often again. */
import type { ActivityOptions } from '@temporalio/workflow';
import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import type {
  FileActivities,
  OrchestrateActivities,
  PodActivities,
} from '../activities/create-activities.ts';
import { taskQueues } from './contract.ts';

/** Infrastructure trouble is ridden out for this long before a file or scan is given up. */
const RIDE_OUT = '2 hours';
const retry = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' } as const;

/** A step without heartbeats that a dead worker had begun is begun again after this long. */
const SHORT = '30 seconds';

/** What the summary of each step says in the Web UI, beside its name. */
type Step = { summary: string; heartbeatMs?: number };

function options(step: Step): ActivityOptions {
  return {
    retry,
    summary: step.summary,
    scheduleToCloseTimeout: RIDE_OUT,
    ...(step.heartbeatMs === undefined ? {} : { heartbeatTimeout: step.heartbeatMs * 3 }),
  };
}

/** Short steps beside the source, destination and index. */
export function fileSteps(step: Step) {
  return proxyActivities<FileActivities>({
    ...options(step),
    taskQueue: taskQueues(workflowInfo().taskQueue).files,
    startToCloseTimeout: step.heartbeatMs === undefined ? SHORT : '1 hour',
  });
}

/**
 * Asked once at the start. What a person must mend is said at once; what may mend itself (a restart, a failover) is
 * tried again for half a minute, rather than ridden out for hours while somebody waits for the answer.
 */
export function openingSteps() {
  return proxyActivities<FileActivities>({
    taskQueue: taskQueues(workflowInfo().taskQueue).files,
    summary: 'check source, destination and cluster',
    startToCloseTimeout: '1 minute',
    scheduleToCloseTimeout: '5 minutes',
    retry: { ...retry, maximumAttempts: 6 },
  });
}

/** What a person or the cluster must change: the workflow decides, instead of trying for hours. */
const NOT_BY_TRYING = ['kubernetes.quota'];

export function podSteps(step: Step & { seconds?: number }) {
  return proxyActivities<PodActivities>({
    ...options(step),
    retry: { ...retry, nonRetryableErrorTypes: NOT_BY_TRYING },
    taskQueue: taskQueues(workflowInfo().taskQueue).pods,
    startToCloseTimeout: step.seconds === undefined ? SHORT : step.seconds * 1000,
    ...(step.seconds === undefined ? {} : { scheduleToCloseTimeout: '1 day' }),
  });
}

/** May last as long as another scan's file does. */
export function attachStep(step: Required<Step>) {
  return proxyActivities<OrchestrateActivities>({
    retry,
    summary: step.summary,
    heartbeatTimeout: step.heartbeatMs * 3,
    startToCloseTimeout: '7 days',
  });
}
