import { EVENT, type LogFields } from '../events.ts';
import type { PodOutcome, PodRef } from '../ports.ts';

/** The event for a pod that has its outcome. Times are the cluster's: the API server's for the pod, the node's within. */
export function podEnded(pod: PodRef, outcome: PodOutcome, sha256: string | undefined): LogFields {
  const { kind, exitCodes, node, times } = outcome;
  const podSeconds = (Date.parse(times.finishedAt ?? '') - Date.parse(times.createdAt ?? '')) / 1000;
  return {
    event: EVENT.podEnded,
    sha256,
    pod: pod.name,
    uid: pod.uid,
    kind,
    class: outcome.kind === 'failed' ? outcome.class : undefined,
    reason: 'reason' in outcome ? outcome.reason : undefined,
    exitCodes,
    node,
    podSeconds: Number.isNaN(podSeconds) ? undefined : podSeconds,
    engineSeconds: times.engineSeconds,
  };
}
