/** Which file pods nobody waits for any more: pure, decided by what Temporal says of their workflows. */
import type { PodListing } from '../drivers/ports.ts';

/** What Temporal says of a workflow ID now. A run that waits for its retry is open. */
export type OwnerState =
  | { kind: 'open'; runId: string }
  | { kind: 'closed' }
  /** It knows no workflow of this ID. */
  | { kind: 'unknown' };

/** Of one pod, by its UID: when its owner was last asked for, and since when it looks abandoned. */
export type Seen = { askedAt: number; suspectedAt: number | null };
export type SweepMemory = ReadonlyMap<string, Seen>;

export type SweepPlan = {
  memory: SweepMemory;
  /** Abandoned as of this round: deleted if they still are in a later one. */
  suspected: PodListing[];
  /** Abandoned for long enough. */
  orphaned: PodListing[];
};

/** Most workflows that one round asks Temporal for. */
export const OWNERS_PER_ROUND = 50;
/** A pod this young is being made: its workflow may not even know it. */
export const YOUNGEST_MS = 10_000;
/** Between the round that suspects a pod and the one that deletes it. */
export const SUSPICION_MS = 30_000;
/** Temporal keeps a closed workflow for at least this long: no namespace may have a shorter retention. */
export const SHORTEST_RETENTION_MS = 24 * 60 * 60 * 1000;

/** The workflow IDs to ask for now: suspects' first, then those that were not asked for the longest. */
export function ownersToAsk(pods: readonly PodListing[], memory: SweepMemory, now: number): string[] {
  const suspectedFirst = (pod: PodListing) => (memory.get(pod.uid)?.suspectedAt == null ? 1 : 0);
  const askedAt = (pod: PodListing) => memory.get(pod.uid)?.askedAt ?? 0;
  const asked = pods
    .filter((pod) => mayBeSwept(pod) && now - Date.parse(pod.createdAt) >= YOUNGEST_MS)
    .sort((a, b) => suspectedFirst(a) - suspectedFirst(b) || askedAt(a) - askedAt(b))
    .map((pod) => pod.workflowId);
  return [...new Set(asked)].slice(0, OWNERS_PER_ROUND);
}

/**
 * What follows from this round's answers. A pod whose owner was not asked for stays as it was. Whoever calls
 * this has an answer for each owner that was asked: after an error there is no plan, and nothing is deleted.
 */
export function planSweep(
  pods: readonly PodListing[],
  owners: ReadonlyMap<string, OwnerState>,
  before: SweepMemory,
  now: number,
): SweepPlan {
  const memory = new Map<string, Seen>();
  const plan: SweepPlan = { memory, suspected: [], orphaned: [] };
  for (const pod of pods) {
    const seen = before.get(pod.uid);
    const owner = mayBeSwept(pod) ? owners.get(pod.workflowId) : undefined;
    if (owner === undefined) {
      if (seen) memory.set(pod.uid, seen);
    } else if (!isAbandoned(pod, owner, pods, now)) {
      memory.set(pod.uid, { askedAt: now, suspectedAt: null });
    } else {
      const since = seen?.suspectedAt ?? null;
      memory.set(pod.uid, { askedAt: now, suspectedAt: since ?? now });
      if (since === null) plan.suspected.push(pod);
      else if (now - since >= SUSPICION_MS) plan.orphaned.push(pod);
    }
  }
  return plan;
}

/**
 * 1. Its own run is open: no.
 * 2. Another run of the workflow ID is open: it may yet adopt this pod, or have done so, unless it has made one
 *    of a higher attempt already. Attempts come one after the other.
 * 3. The workflow is closed: yes. Whoever starts it anew makes a pod of its own.
 * 4. Temporal does not know the workflow: then it can only be closed for longer than closed ones are kept. Of a
 *    younger pod it means that we ask the wrong Temporal, or one that has lost its memory: no.
 */
function isAbandoned(pod: PodListing, owner: OwnerState, pods: readonly PodListing[], now: number): boolean {
  switch (owner.kind) {
    case 'open':
      return (
        pod.runId !== owner.runId &&
        pods.some(
          (other) =>
            other.workflowId === pod.workflowId &&
            other.runId === owner.runId &&
            attemptOf(other) > attemptOf(pod),
        )
      );
    case 'closed':
      return true;
    case 'unknown':
      return now - Date.parse(pod.createdAt) > SHORTEST_RETENTION_MS;
  }
}

/** One that names no owner or run is not for us to judge; one that is being deleted needs no more. */
function mayBeSwept(pod: PodListing): boolean {
  return pod.workflowId !== '' && pod.runId !== '' && pod.phase !== 'Terminating';
}

/** As its name says. NaN, which is neither more nor less than anything, where it says nothing. */
function attemptOf(pod: PodListing): number {
  return Number(/-a(\d{1,3})$/.exec(pod.name)?.[1] ?? Number.NaN);
}
