/** How each recorded pod of `pods/` comes about on a real cluster of one node. */
import type { V1Pod } from '@kubernetes/client-node';
import type { SlimPod } from '../../../../drivers/kubernetes/slim-pod.ts';
import { type ClusterPods, NAMESPACE } from '../../../contract/cluster-pods.ts';
import type { Behaviour } from '../../../contract/pods-harness.ts';
import {
  kubectl,
  LOST_NODE,
  lostNode,
  onlyPlace,
  PLACE,
  PLACE_CLASS,
  sayRunning,
} from '../../../faults/node-faults.ts';

export type Spec = NonNullable<V1Pod['spec']>;
export type Recording = {
  behaviour?: Behaviour;
  /** Makes what the pod needs beforehand; returns what takes it away again. */
  prepare?: () => Promise<() => Promise<unknown>>;
  change?: (spec: Spec) => void;
  until: (pod: SlimPod) => boolean;
  /** What is done to it once `when` holds. */
  interfere?: {
    when: (pod: SlimPod) => boolean;
    act: (cluster: ClusterPods, name: string) => Promise<unknown>;
  };
};

const failed = (pod: SlimPod) => pod.phase === 'Failed';
const engineRuns = (pod: SlimPod) => pod.containers.engine?.state === 'running';
const ended = (name: 'fetch' | 'engine' | 'upload') => (pod: SlimPod) =>
  pod.containers[name]?.state === 'terminated';
const waits = (reason: string) => (pod: SlimPod) =>
  Object.values(pod.containers).some((state) => state.state === 'waiting' && state.reason === reason);
const init = (spec: Spec, name: 'fetch' | 'engine') => {
  const found = spec.initContainers?.find((container) => container.name === name);
  if (!found) throw new Error(`no ${name}`);
  return found;
};
const limit = (resource: string, value: string, requests: Record<string, string> = {}) => ({
  requests: { cpu: '10m', memory: '4Mi', 'ephemeral-storage': '1Mi', ...requests },
  limits: { cpu: '1', memory: '64Mi', 'ephemeral-storage': '64Mi', [resource]: value },
});

export const recordings: Record<string, Recording> = {
  scheduled: { until: (pod) => pod.node !== undefined },
  'engine-running': { behaviour: 'hang', until: engineRuns },
  'all-ended-phase-pending': { until: (pod) => ended('upload')(pod) && pod.phase === 'Pending' },
  'succeeded-rebuilt': { until: (pod) => pod.phase === 'Succeeded' },
  'succeeded-refused': { behaviour: 'refuse', until: (pod) => pod.phase === 'Succeeded' },
  'engine-exit-3': { behaviour: 'refuse-by-exit', until: failed },
  'engine-exit-7-phase-pending': { behaviour: 'crash', until: (pod) => ended('engine')(pod) && !failed(pod) },
  'engine-exit-7': { behaviour: 'crash', until: failed },
  'engine-exit-139': { change: (spec) => fault(spec, 'exit', '139'), until: failed },
  'engine-exit-137': { change: (spec) => fault(spec, 'exit', '137'), until: failed },
  'engine-aborted': { change: (spec) => fault(spec, 'crash'), until: failed },
  'engine-oom-phase-pending': { behaviour: 'memory', until: (pod) => ended('engine')(pod) && !failed(pod) },
  'engine-oom': { behaviour: 'memory', until: failed },
  'fetch-oom': {
    change: (spec) => {
      init(spec, 'fetch').resources = limit('memory', '8Mi');
    },
    until: failed,
  },
  'upload-oom': {
    change: (spec) => {
      for (const container of spec.containers) container.resources = limit('memory', '8Mi');
    },
    until: failed,
  },
  'upload-exit-20': { behaviour: 'nothing', until: failed },
  'upload-exit-13': { behaviour: 'destination-away', until: failed },
  'fetch-exit-10': { behaviour: 'changed', until: failed },
  'fetch-exit-11': { behaviour: 'source-gone', until: failed },
  'fetch-exit-12': { behaviour: 'link-refused', until: failed },
  'fetch-exit-2': {
    change: (spec) => {
      init(spec, 'fetch').env = [];
    },
    until: failed,
  },
  'deadline-in-engine': { behaviour: 'reach-deadline', until: failed },
  'deadline-before-start': {
    change: (spec) => {
      spec.activeDeadlineSeconds = 5;
      init(spec, 'fetch').image = 'pristine.invalid/missing:1';
    },
    until: failed,
  },
  'deleted-while-running': {
    behaviour: 'hang',
    interfere: {
      when: engineRuns,
      act: ({ admin }, name) =>
        admin.deleteNamespacedPod({ name, namespace: NAMESPACE, gracePeriodSeconds: 5 }),
    },
    until: (pod) => pod.deletion !== undefined,
  },
  'deleted-failed-137': {
    behaviour: 'hang',
    interfere: {
      when: engineRuns,
      act: ({ admin }, name) =>
        admin.deleteNamespacedPod({ name, namespace: NAMESPACE, gracePeriodSeconds: 1 }),
    },
    until: (pod) => pod.deletion !== undefined && ended('engine')(pod),
  },
  'evicted-by-api': {
    behaviour: 'hang',
    interfere: {
      when: engineRuns,
      act: ({ admin }, name) =>
        admin.createNamespacedPodEviction({
          name,
          namespace: NAMESPACE,
          body: {
            apiVersion: 'policy/v1',
            kind: 'Eviction',
            metadata: { name },
            deleteOptions: { gracePeriodSeconds: 1 },
          },
        }),
    },
    until: (pod) => pod.disruption?.status === 'True' && pod.deletion !== undefined,
  },
  'preempted-by-scheduler': {
    behaviour: 'hang',
    prepare: onlyPlace,
    change: (spec) => {
      init(spec, 'engine').resources = limit(PLACE, '1', { [PLACE]: '1' });
    },
    interfere: {
      when: engineRuns,
      act: async ({ admin, manifest, request }) => {
        const body = manifest(request('rebuild'));
        if (!body.spec) throw new Error('no pod');
        body.spec.priorityClassName = PLACE_CLASS;
        init(body.spec, 'engine').resources = limit(PLACE, '1', { [PLACE]: '1' });
        await admin.createNamespacedPod({ namespace: NAMESPACE, body });
      },
    },
    until: (pod) => pod.disruption?.status === 'True' && pod.deletion !== undefined,
  },
  'deleted-by-taint-manager': {
    behaviour: 'hang',
    prepare: lostNode,
    change: (spec) => {
      spec.nodeName = LOST_NODE;
    },
    interfere: {
      when: (pod) => pod.phase === 'Pending',
      act: async (_, name) => {
        await sayRunning(name);
        await kubectl('taint', 'node', LOST_NODE, 'node.kubernetes.io/out-of-service=x:NoExecute');
      },
    },
    until: (pod) => pod.deletion !== undefined,
  },
  'deleted-by-pod-gc': {
    behaviour: 'hang',
    prepare: lostNode,
    change: (spec) => {
      spec.nodeName = LOST_NODE;
    },
    interfere: {
      when: (pod) => pod.phase === 'Pending',
      act: async (_, name) => {
        await sayRunning(name);
        await kubectl('delete', 'node', LOST_NODE);
      },
    },
    until: failed,
  },
  'deleted-while-pending': {
    change: (spec) => {
      spec.nodeSelector = { 'pristine.dev/no-such-node': 'true' };
    },
    interfere: {
      when: (pod) => pod.scheduled?.reason === 'Unschedulable',
      act: ({ admin }, name) => admin.deleteNamespacedPod({ name, namespace: NAMESPACE }),
    },
    until: (pod) => pod.deletion !== undefined,
  },
  'deleted-after-success': {
    interfere: {
      when: (pod) => pod.phase === 'Succeeded',
      act: ({ admin }, name) => admin.deleteNamespacedPod({ name, namespace: NAMESPACE }),
    },
    until: (pod) => pod.phase === 'Succeeded' && pod.deletion !== undefined,
  },
  'evicted-volume-too-big': {
    change: (spec) => {
      fault(spec, 'disk', 'tmp');
      for (const volume of spec.volumes ?? [])
        if (volume.name === 'tmp') volume.emptyDir = { sizeLimit: '8Mi' };
      for (const container of [...(spec.initContainers ?? []), ...spec.containers])
        container.resources = limit('ephemeral-storage', '2Gi');
    },
    until: failed,
  },
  'image-pull-error': {
    change: (spec) => {
      init(spec, 'fetch').image = 'pristine.invalid/missing:1';
    },
    until: waits('ErrImagePull'),
  },
  'image-pull-back-off': {
    change: (spec) => {
      init(spec, 'engine').image = 'pristine.invalid/missing:1';
    },
    until: waits('ImagePullBackOff'),
  },
  'image-name-invalid': {
    change: (spec) => {
      init(spec, 'engine').image = 'UPPER CASE';
    },
    until: waits('InvalidImageName'),
  },
  'config-error': {
    change: (spec) => {
      init(spec, 'engine').env = [
        { name: 'X', valueFrom: { secretKeyRef: { name: 'there-is-no-such-secret', key: 'x' } } },
      ];
    },
    until: waits('CreateContainerConfigError'),
  },
  'engine-command-missing': {
    change: (spec) => {
      init(spec, 'engine').command = ['/no/such/program'];
    },
    until: failed,
  },
  'engine-memory-too-small-to-start': {
    change: (spec) => {
      init(spec, 'engine').resources = {
        requests: { cpu: '10m', memory: '1Mi', 'ephemeral-storage': '1Mi' },
        limits: { cpu: '1', memory: '1Mi', 'ephemeral-storage': '1Mi' },
      };
    },
    until: failed,
  },
  unschedulable: {
    change: (spec) => {
      spec.nodeSelector = { 'pristine.dev/no-such-node': 'true' };
    },
    until: (pod) => pod.scheduled?.reason === 'Unschedulable',
  },
  'rejected-out-of-cpu': {
    change: (spec) => {
      spec.nodeName = 'pristine';
      for (const container of spec.containers)
        container.resources = { ...limit('cpu', '64'), requests: { cpu: '64', memory: '16Mi' } };
    },
    until: failed,
  },
  'rejected-node-affinity': {
    change: (spec) => {
      spec.nodeName = 'pristine';
      spec.nodeSelector = { 'pristine.dev/no-such-node': 'true' };
    },
    until: failed,
  },
};

function fault(spec: Spec, ...args: string[]): void {
  init(spec, 'engine').args = args;
}
