/** What keeps a pod from ending. Pending never fails by itself, and a lost node says nothing. */
import type { FailureClass } from '../ports.ts';
import { boundedText } from './bounded-text.ts';
import { CONTAINERS, type SlimPod } from './slim-pod.ts';

/** How long the one who waits has seen what, in milliseconds of its own clock. */
export type Observed = {
  /** Since the wait began. */
  waitedMs: number;
  /** Since a container was first seen waiting for a reason that is somebody's mistake; null if none is. */
  troubledMs: number | null;
  /** Since a container was first seen started; null if none was. */
  startedMs: number | null;
};

export type Patience = {
  /** An image may be pushed, or a registry be back, a moment later. */
  troubleMs: number;
  /** How much later than the node's own deadline the node is given up. */
  lateMs: number;
  /** For pods that do not say. */
  startDeadlineMs: number;
  runDeadlineMs: number;
};

export const PATIENCE: Patience = {
  troubleMs: 30_000,
  lateMs: 60_000,
  startDeadlineMs: 300_000,
  runDeadlineMs: 300_000,
};

/** Waiting reasons of the kubelet that a person has to do something about. */
const MISTAKES = [
  'ErrImagePull',
  'ImagePullBackOff',
  'RegistryUnavailable',
  'ImageInspectError',
  'SignatureValidationFailed',
  'ErrImageNeverPull',
  'InvalidImageName',
  'CreateContainerConfigError',
  'CreateContainerError',
  'PreCreateHookError',
  'PreStartHookError',
  'RunContainerError',
];

/** The waiting container whose reason is somebody's mistake, in words; null when there is none. */
export function mistake(pod: SlimPod): string | null {
  for (const name of CONTAINERS) {
    const state = pod.containers[name];
    if (state?.state === 'waiting' && MISTAKES.includes(state.reason))
      return boundedText(`${name} can not start: ${state.reason}: ${state.message}`);
  }
  return null;
}

export function anyStarted(pod: SlimPod): boolean {
  return CONTAINERS.some((name) => {
    const state = pod.containers[name];
    return state !== undefined && state.state !== 'waiting';
  });
}

export type Overdue = { class: FailureClass; reason: string };

/**
 * What to say of a pod that has not ended and has used up its time; null while it has time. Pure.
 *
 * 1. waiting for a mistake to be mended longer than `troubleMs`: configuration.
 * 2. no container started within the start deadline: capacity when not even a node was found (in the scheduler's
 *    words), configuration when a mistake is waited for, disruption when its node has not said a word of it: the
 *    node may be lost. A node that has begun with it gets `lateMs` more, then it is configuration (a mount, a
 *    sandbox): by the usual 300 s of toleration, a lost node's pods are evicted before.
 * 3. not ended `lateMs` after the run deadline, which the node itself would have enforced: disruption.
 */
export function overdue(pod: SlimPod, observed: Observed, patience: Patience): Overdue | null {
  const wrong = mistake(pod);
  if (wrong && observed.troubledMs !== null && observed.troubledMs >= patience.troubleMs)
    return { class: 'configuration', reason: wrong };
  if (observed.startedMs === null) {
    const limit = seconds(pod.annotations.startDeadlineSeconds) ?? patience.startDeadlineMs;
    return notStarted(pod, observed.waitedMs, limit, patience.lateMs);
  }
  const runLimit = pod.activeDeadlineSeconds ? pod.activeDeadlineSeconds * 1000 : patience.runDeadlineMs;
  if (observed.startedMs < runLimit + patience.lateMs) return null;
  const late = Math.round(patience.lateMs / 1000);
  return {
    class: 'disruption',
    reason: `Node ${pod.node ?? 'unknown'} has not ended the pod ${late} s after its deadline: the node may be lost.`,
  };
}

function notStarted(pod: SlimPod, waitedMs: number, limitMs: number, lateMs: number): Overdue | null {
  if (waitedMs < limitMs) return null;
  const limit = Math.round(limitMs / 1000);
  if (!pod.node) {
    const { reason, message } = pod.scheduled ?? { reason: '', message: '' };
    const words = message || reason || 'the scheduler says nothing; is it running?';
    return { class: 'capacity', reason: boundedText(`No node for the pod within ${limit} s: ${words}`) };
  }
  const late = `No container started within ${limit} s on node ${pod.node}`;
  const wrong = mistake(pod);
  if (wrong) return { class: 'configuration', reason: boundedText(`${late}: ${wrong}`) };
  // The kubelet's first word of a pod is that its containers wait.
  if (Object.keys(pod.containers).length === 0)
    return {
      class: 'disruption',
      reason: boundedText(`${late}, which has not taken it up: it may be lost.`),
    };
  if (waitedMs < limitMs + lateMs) return null;
  const see = 'see the events of the pod (kubectl describe pod)';
  return { class: 'configuration', reason: boundedText(`${late}: ${see}`) };
}

function seconds(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) * 1000 : null;
}
