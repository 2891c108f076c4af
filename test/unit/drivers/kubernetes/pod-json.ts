/** Pods as the API writes them, made by hand for what a recorded one would only make longer. */
import { expect } from '@jest/globals';
import { type SlimPod, slimPod } from '../../../../drivers/kubernetes/slim-pod.ts';
import type { FailureClass } from '../../../../drivers/ports.ts';

type State = Record<string, unknown>;

export const running: State = { running: { startedAt: '2026-01-01T00:00:02Z' } };
export const waiting = (reason: string, message = ''): State => ({ waiting: { reason, message } });
export const terminated = (exitCode: number, more: Record<string, unknown> = {}): State => ({
  terminated: {
    exitCode,
    reason: exitCode === 0 ? 'Completed' : 'Error',
    startedAt: '2026-01-01T00:00:02Z',
    finishedAt: '2026-01-01T00:00:04Z',
    ...more,
  },
});

export type PodSketch = {
  name?: string;
  uid?: string;
  resourceVersion?: string | number;
  metadata?: Record<string, unknown>;
  annotations?: Record<string, string>;
  node?: string;
  activeDeadlineSeconds?: number;
  status?: Record<string, unknown>;
  fetch?: State;
  engine?: State;
  upload?: State;
};

export function podJson(sketch: PodSketch = {}): Record<string, unknown> {
  const status = (name: string, state: State | undefined) => (state ? [{ name, state }] : []);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: sketch.name ?? 'pod-1',
      uid: sketch.uid ?? 'uid-1',
      resourceVersion: String(sketch.resourceVersion ?? 10),
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { 'pristine.dev/instance': 'here' },
      annotations: sketch.annotations ?? {},
      ...sketch.metadata,
    },
    spec: {
      ...(sketch.node !== undefined && { nodeName: sketch.node }),
      ...(sketch.activeDeadlineSeconds !== undefined && {
        activeDeadlineSeconds: sketch.activeDeadlineSeconds,
      }),
    },
    status: {
      phase: 'Pending',
      initContainerStatuses: [...status('fetch', sketch.fetch), ...status('engine', sketch.engine)],
      containerStatuses: status('upload', sketch.upload),
      ...sketch.status,
    },
  };
}

export function pod(sketch: PodSketch = {}): SlimPod {
  const slim = slimPod(podJson(sketch));
  if (!slim) throw new Error('the sketch is no pod');
  return slim;
}

export const SHA256 = '5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03';

/** The uploader's termination message for a rebuilt file. */
export const rebuiltReport = JSON.stringify({
  verdict: 'rebuilt',
  files: [{ name: 'rebuilt', size: 6, sha256: SHA256 }],
});

/** A pod that has ended well. */
export function succeeded(sketch: PodSketch = {}): PodSketch {
  return {
    fetch: terminated(0),
    engine: terminated(0),
    upload: terminated(0, { message: rebuiltReport }),
    node: 'node-1',
    ...sketch,
    status: { phase: 'Succeeded', ...sketch.status },
  };
}

/** What a failed pod's outcome is expected to match. */
export const failed = (klass: FailureClass, reason: string | RegExp, exitCodes?: Record<string, number>) => ({
  kind: 'failed',
  class: klass,
  reason: typeof reason === 'string' ? reason : expect.stringMatching(reason),
  ...(exitCodes && { exitCodes }),
});
