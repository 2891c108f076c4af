import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { EVENT, type Logger } from '../drivers/events.ts';
import type { Pods } from '../drivers/ports.ts';
import { type OwnerState, ownersToAsk, planSweep, type SweepMemory } from './sweep-plan.ts';

/** Longest wait for one of Temporal's answers. */
const ANSWER_MS = 5_000;

const CLOSED: ReadonlySet<string> = new Set(['COMPLETED', 'FAILED', 'CANCELLED', 'TERMINATED', 'TIMED_OUT']);

/** Rejects between two of its requests when `signal` fires. */
export type Sweep = (signal: AbortSignal) => Promise<void>;

export type SweepParts = {
  pods: Pick<Pods, 'list' | 'remove'>;
  /** Throws when Temporal can't say. */
  ownerOf: (workflowId: string) => Promise<OwnerState>;
  logger: Logger;
  now: () => number;
};

/**
 * One round a call, each going on from what the one before saw: deletes pods whose workflow is over and was so in
 * an earlier round. Throws, having deleted nothing, when the pods can't be listed or any owner can't be told.
 * Several workers may sweep at once: a deletion has the pod's UID as precondition, and gone is success.
 */
export function createPodSweep({ pods, ownerOf, logger, now }: SweepParts): Sweep {
  let memory: SweepMemory = new Map();
  return async (signal) => {
    const listed = await pods.list();
    const owners = new Map<string, OwnerState>();
    for (const workflowId of ownersToAsk(listed, memory, now())) {
      signal.throwIfAborted();
      owners.set(workflowId, await ownerOf(workflowId));
    }
    const plan = planSweep(listed, owners, memory, now());
    memory = plan.memory;
    for (const { name, uid, workflowId } of plan.suspected) {
      logger.info({ event: EVENT.podSuspected, pod: name, uid, workflowId }, 'nobody waits for this pod');
    }
    for (const { name, uid, workflowId, phase } of plan.orphaned) {
      signal.throwIfAborted();
      logger.warn(
        { event: EVENT.podOrphaned, pod: name, uid, workflowId, phase },
        'its workflow is over: deleting the pod',
      );
      await pods.remove({ name, uid });
    }
  };
}

/** Temporal's answer for a workflow ID, by a request of its own: visibility lags behind and has tight limits. */
export function temporalOwner(client: Client): (workflowId: string) => Promise<OwnerState> {
  return async (workflowId) => {
    try {
      const { status, runId } = await client.withDeadline(Date.now() + ANSWER_MS, () =>
        client.workflow.getHandle(workflowId).describe(),
      );
      // Whatever else it says, now or in a later version, is no end.
      return CLOSED.has(status.name) ? { kind: 'closed' } : { kind: 'open', runId };
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return { kind: 'unknown' };
      throw error;
    }
  };
}

/** Calls `sweep` every `intervalMs` until it is stopped. A round that fails is a warning; the next one tries again. */
export function startSweeping(
  sweep: Sweep,
  { intervalMs, logger }: { intervalMs: number; logger: Logger },
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;
  const rounds = async () => {
    // Workers that start together do not ask together.
    await sleep(intervalMs * Math.random(), undefined, { signal });
    for (;;) {
      await sweep(signal).catch((error: unknown) => {
        if (signal.aborted) return;
        logger.warn({ event: EVENT.sweepFailed, err: error }, 'pods not swept: nothing was deleted');
      });
      await sleep(intervalMs, undefined, { signal });
    }
  };
  const stopped = rounds().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  return {
    stop: () => {
      stopping.abort();
      return stopped;
    },
  };
}
