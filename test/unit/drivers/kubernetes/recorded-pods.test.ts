/** How whole pods, as the API gives them, are judged. Rules one by one: pod-outcome.test.ts. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { podOutcome, podPhase } from '../../../../drivers/kubernetes/pod-outcome.ts';
import { type SlimPod, slimPod } from '../../../../drivers/kubernetes/slim-pod.ts';
import type { PodPhase } from '../../../../drivers/ports.ts';
import { failed } from './pod-json.ts';
import { recordings } from './recordings.ts';

const folder = new URL('./pods/', import.meta.url).pathname;

function recorded(name: string): SlimPod {
  const read = slimPod(JSON.parse(readFileSync(`${folder}${name}.json`, 'utf8')));
  if (!read) throw new Error(`${name} is no pod`);
  return read;
}

/** An outcome, or the phase of a pod that has not ended. */
type Expected = Record<string, unknown> | PodPhase;

/** Recorded on Kubernetes 1.34.4 with containerd 1.6.20 and runc 1.1.5, by record-pods.ts. */
const RECORDED: Record<string, Expected> = {
  scheduled: 'scheduled',
  unschedulable: 'created',
  'image-pull-error': 'scheduled',
  'image-pull-back-off': 'engine',
  'image-name-invalid': 'engine',
  'config-error': 'engine',
  'engine-running': 'engine',
  // The exit code of a container that was killed for a deadline comes before the reason does.
  'engine-exit-7-phase-pending': 'engine',
  'all-ended-phase-pending': { kind: 'uploaded', report: { verdict: 'rebuilt' } },
  'succeeded-rebuilt': { kind: 'uploaded', report: { verdict: 'rebuilt' } },
  'succeeded-refused': { kind: 'uploaded', report: { verdict: 'refused', reason: 'refused on purpose' } },
  'engine-exit-3': { kind: 'refused', reason: 'refused on purpose' },
  'engine-exit-7': failed('crash', 'The engine ended with exit code 7.', { fetch: 0, engine: 7 }),
  'engine-exit-137': failed('crash', 'The engine ended with exit code 137 (SIGKILL).'),
  'engine-exit-139': failed('crash', 'The engine ended with exit code 139 (SIGSEGV).'),
  'engine-aborted': failed('crash', /^The engine ended with exit code 139 \(SIGSEGV\): /),
  'engine-oom-phase-pending': failed('resource', /more memory than its limit/, { fetch: 0, engine: 137 }),
  'engine-oom': failed('resource', /more memory than its limit/),
  'fetch-oom': failed('transfer', 'fetch was killed: it needed more memory than its limit.'),
  'upload-oom': failed('transfer', 'upload was killed: it needed more memory than its limit.'),
  'fetch-exit-2': failed('configuration', /^Wrong environment: PRISTINE_GET_URL/),
  'fetch-exit-10': { kind: 'changed', reason: expect.stringContaining('other bytes') },
  'fetch-exit-11': { kind: 'source-gone', reason: expect.stringContaining('not in the source any more') },
  'fetch-exit-12': failed('disruption', /refused the link/, { fetch: 12 }),
  'upload-exit-13': failed('transfer', 'The destination answered HTTP 400.'),
  'upload-exit-20': failed('crash', 'The engine left neither rebuilt nor refused.'),
  'deadline-in-engine': failed('resource', 'The pod reached its deadline of 25 s: it was in engine.'),
  'deadline-before-start': failed('configuration', /deadline of 5 s: fetch can not start: ImagePullBackOff/),
  'deleted-while-running': failed('disruption', /being deleted/),
  'deleted-failed-137': failed('disruption', /being deleted/, { fetch: 0, engine: 137 }),
  'evicted-by-api': failed('disruption', /Eviction API: evicting/),
  'evicted-volume-too-big': failed('resource', /EmptyDir volume "tmp" exceeds the limit/),
  'engine-command-missing': failed('configuration', /engine could not be started: .*no such file/),
  'engine-memory-too-small-to-start': failed('resource', 'engine has too little memory to start.'),
  'deleted-while-pending': failed('disruption', 'The pod is being deleted: somebody asked for it', {}),
  'deleted-after-success': { kind: 'uploaded' },
  'preempted-by-scheduler': failed('disruption', /being deleted: default-scheduler: preempting/),
  'deleted-by-taint-manager': failed('disruption', /being deleted: Taint manager/),
  'deleted-by-pod-gc': failed('disruption', 'DeletionByPodGC: PodGC: node no longer exists'),
  'rejected-out-of-cpu': failed('capacity', /OutOfcpu/),
  'rejected-node-affinity': failed('capacity', /NodeAffinity/),
};

/**
 * What one healthy node can't be made to show, written by hand: after which text of Kubernetes 1.34, and what is
 * expected.
 */
const WRITTEN: Record<string, { after: string; expected: Expected }> = {
  'evicted-node-memory': {
    after:
      'pkg/kubelet/eviction/eviction_manager.go, helpers.go: nodeLowMessageFmt; condition and phase with it',
    expected: failed('disruption', /TerminationByKubelet: The node was low on resource: memory/, {
      fetch: 0,
      engine: 137,
    }),
  },
  'preempted-by-kubelet': {
    after: 'pkg/kubelet/preemption/preemption.go: for a critical pod on the same node',
    expected: failed('disruption', /^TerminationByKubelet: Pod was preempted by Kubelet/),
  },
  'node-shut-down': {
    after: 'pkg/kubelet/nodeshutdown/nodeshutdown_manager.go: reason Terminated',
    expected: failed('disruption', /imminent node shutdown/),
  },
  'node-lost': {
    after:
      'pkg/controller/util/node/controller_utils.go: SetPodTerminationReason, for a pod that is being deleted',
    expected: failed('disruption', /being deleted: Taint manager/, { fetch: 0 }),
  },
  'container-status-unknown': {
    after: 'pkg/kubelet/kubelet_pods.go: convertToAPIContainerStatuses, 137 without times',
    expected: failed('disruption', /lost track of engine: The container could not be located/, {
      fetch: 0,
      engine: 137,
    }),
  },
  'unexpected-admission-error': {
    after: 'pkg/kubelet/lifecycle/predicate.go and cm/devicemanager: Allocate failed',
    expected: failed('disruption', /^UnexpectedAdmissionError: Allocate failed/),
  },
};

const ALL: Record<string, Expected> = {
  ...RECORDED,
  ...Object.fromEntries(Object.entries(WRITTEN).map(([name, { expected }]) => [name, expected])),
};

describe('pods in the folder', () => {
  test('all have a row here', () => {
    const names = readdirSync(folder).map((name) => name.replace(/\.json$/, ''));
    expect(names.toSorted()).toEqual(Object.keys(ALL).toSorted());
  });

  test('are those that record-pods.ts records', () => {
    expect(Object.keys(RECORDED).toSorted()).toEqual(Object.keys(recordings).toSorted());
  });

  test.each(Object.entries(ALL))('%s', (name, expected) => {
    const read = recorded(name);
    if (typeof expected === 'string') {
      expect(podOutcome(read)).toBeNull();
      expect(podPhase(read)).toBe(expected);
    } else {
      expect(podOutcome(read)).toMatchObject(expected);
    }
  });

  test('tell times, and no seconds of an engine that never started', () => {
    expect(podOutcome(recorded('engine-oom'))).toMatchObject({
      node: 'pristine',
      times: { createdAt: expect.any(String), startedAt: expect.any(String), engineSeconds: 1 },
    });
    expect(podOutcome(recorded('engine-command-missing'))?.times).not.toHaveProperty('engineSeconds');
  });

  test('tell what the engine’s image resolved to, and nothing before the kubelet knows', () => {
    expect(podOutcome(recorded('engine-exit-7'))?.engineDigest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(podOutcome(recorded('fetch-exit-12'))).not.toHaveProperty('engineDigest');
  });
});
