/** What Temporal wrote down of a workflow: how many events of what kind, and where its time went. */
import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';

type HistoryEvent = proto.temporal.api.history.v1.IHistoryEvent;
const { EventType } = proto.temporal.api.enums.v1;

/** One event as far as it is counted here. */
export type PastEvent = {
  /** `EVENT_TYPE_…` without that, in capitals: `ACTIVITY_TASK_SCHEDULED`. */
  type: string;
  /** Milliseconds since the epoch. */
  at: number;
  /** The activity's type, of the three events of one activity. */
  activity?: string | undefined;
  /** Of an activity's end: the number of its beginning within this list. */
  began?: number | undefined;
};

export type Run = { runId: string; events: PastEvent[]; children: { workflowId: string; runId: string }[] };

const FAMILIES = ['CHILD', 'WORKFLOW_TASK', 'ACTIVITY_TASK', 'TIMER'] as const;
export type EventFamilies = Record<'child' | 'workflowTask' | 'activity' | 'timer' | 'other', number>;

/** How many events are about children, workflow tasks, activities, timers and anything else. */
export function eventFamilies(types: readonly string[]): EventFamilies {
  const count = (of: (type: string) => boolean) => types.filter(of).length;
  const [child, task, activity, timer] = FAMILIES;
  const aboutChild = (type: string) => type.startsWith(child) || type.startsWith(`START_${child}`);
  const families = {
    child: count(aboutChild),
    workflowTask: count((type) => type.startsWith(task)),
    activity: count((type) => type.startsWith(activity)),
    timer: count((type) => type.startsWith(timer)),
  };
  const known = Object.values(families).reduce((sum, number) => sum + number, 0);
  return { ...families, other: types.length - known };
}

export type ActivityTime = {
  times: number;
  /** Milliseconds from each one's scheduling to its end, together; two at once count twice. */
  busyMs: number;
};

/**
 * Where the time between a run's first and last event went: by activity, and `idleMs`, in which no activity was
 * under way: workflow tasks, waits, children.
 */
export function activityTimes(events: readonly PastEvent[]): {
  totalMs: number;
  idleMs: number;
  activities: Map<string, ActivityTime>;
} {
  const activities = new Map<string, ActivityTime>();
  const spans: { from: number; to: number }[] = [];
  for (const end of events) {
    const start = end.began === undefined ? undefined : events[end.began];
    if (start?.activity === undefined) continue;
    const so = activities.get(start.activity) ?? { times: 0, busyMs: 0 };
    activities.set(start.activity, { times: so.times + 1, busyMs: so.busyMs + end.at - start.at });
    spans.push({ from: start.at, to: end.at });
  }
  const totalMs = (events.at(-1)?.at ?? 0) - (events[0]?.at ?? 0);
  return { totalMs, idleMs: totalMs - covered(spans), activities };
}

/** Length of the union of spans. */
function covered(spans: readonly { from: number; to: number }[]): number {
  let length = 0;
  let until = Number.NEGATIVE_INFINITY;
  for (const { from, to } of spans.toSorted((a, b) => a.from - b.from)) {
    length += Math.max(0, to - Math.max(from, until));
    until = Math.max(until, to);
  }
  return length;
}

/** Every run of a workflow's chain of continue-as-new, the first one first. */
export async function chainOf(client: Client, workflowId: string): Promise<Run[]> {
  const runs: Run[] = [];
  for (let runId: string | undefined; ; ) {
    const { run, before } = await runOf(client, workflowId, runId);
    runs.unshift(run);
    if (before === undefined) return runs;
    runId = before;
  }
}

/** One run, the last one unless `runId` names another; `before` is the run that it continues. */
export async function runOf(
  client: Client,
  workflowId: string,
  runId?: string,
): Promise<{ run: Run; before: string | undefined }> {
  const all = await eventsOf(client, workflowId, runId);
  const started = all[0]?.workflowExecutionStartedEventAttributes;
  const children = all.flatMap(({ childWorkflowExecutionStartedEventAttributes: child }) => {
    const { workflowId: id, runId: childRun } = child?.workflowExecution ?? {};
    return id && childRun ? [{ workflowId: id, runId: childRun }] : [];
  });
  return {
    run: { runId: started?.originalExecutionRunId ?? '', events: all.map(pastEvent), children },
    before: started?.continuedExecutionRunId || undefined,
  };
}

/** Events that one answer holds: with the files of a page in each, more would not fit into a message of gRPC. */
const EVENTS_AT_ONCE = 20;

async function eventsOf(client: Client, workflowId: string, runId?: string): Promise<HistoryEvent[]> {
  const events: HistoryEvent[] = [];
  let nextPageToken: Uint8Array | null | undefined;
  do {
    const page = await client.workflowService.getWorkflowExecutionHistory({
      namespace: client.options.namespace,
      execution: { workflowId, runId: runId ?? '' },
      maximumPageSize: EVENTS_AT_ONCE,
      ...(nextPageToken ? { nextPageToken } : {}),
    });
    events.push(...(page.history?.events ?? []));
    nextPageToken = page.nextPageToken;
  } while (nextPageToken && nextPageToken.length > 0);
  return events;
}

function pastEvent(event: HistoryEvent): PastEvent {
  const { seconds, nanos } = event.eventTime ?? {};
  const ended =
    event.activityTaskCompletedEventAttributes ??
    event.activityTaskFailedEventAttributes ??
    event.activityTaskTimedOutEventAttributes ??
    event.activityTaskCanceledEventAttributes;
  return {
    type: (EventType[event.eventType ?? 0] ?? '').replace(/^EVENT_TYPE_/, ''),
    at: Number(seconds ?? 0) * 1000 + (nanos ?? 0) / 1e6,
    activity: event.activityTaskScheduledEventAttributes?.activityType?.name ?? undefined,
    // Event IDs count from 1.
    began: ended?.scheduledEventId == null ? undefined : Number(ended.scheduledEventId) - 1,
  };
}
