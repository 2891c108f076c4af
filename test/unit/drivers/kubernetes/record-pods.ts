/**
 * Records the pods in `pods/` that a single node can be made to produce:
 * `. .pristine/env && node test/unit/drivers/kubernetes/record-pods.ts [name …]`. The others there are written by
 * hand, after the sources named in pod-outcome.test.ts. Run it again for a new version of Kubernetes.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import type { V1Pod } from '@kubernetes/client-node';
import { KubeApi } from '../../../../drivers/kubernetes/kube-api.ts';
import { loadKubeConfig } from '../../../../drivers/kubernetes/load-kube-config.ts';
import { type SlimPod, slimPod } from '../../../../drivers/kubernetes/slim-pod.ts';
import { type ClusterPods, clusterPods, NAMESPACE } from '../../../contract/cluster-pods.ts';
import type { Behaviour } from '../../../contract/pods-harness.ts';
import { stackVariable } from '../../../contract/stack.ts';

type Spec = NonNullable<V1Pod['spec']>;
type Recording = {
  behaviour?: Behaviour;
  change?: (spec: Spec) => void;
  until: (pod: SlimPod) => boolean;
  /** What is done to it once `when` holds. */
  interfere?: {
    when: (pod: SlimPod) => boolean;
    act: (cluster: ClusterPods, name: string) => Promise<unknown>;
  };
};

const folder = new URL('./pods/', import.meta.url).pathname;
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
const limit = (resource: string, value: string) => ({
  requests: { cpu: '10m', memory: '4Mi', 'ephemeral-storage': '1Mi' },
  limits: { cpu: '1', memory: '64Mi', 'ephemeral-storage': '64Mi', [resource]: value },
});

const recordings: Record<string, Recording> = {
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

async function record(cluster: ClusterPods, api: KubeApi, name: string, recording: Recording): Promise<void> {
  const manifest = cluster.manifest(cluster.request(recording.behaviour ?? 'rebuild'));
  if (!manifest.spec || !manifest.metadata?.name) throw new Error('no pod');
  recording.change?.(manifest.spec);
  const abort = new AbortController();
  const path = `/api/v1/namespaces/${NAMESPACE}/pods`;
  const query = { watch: true, fieldSelector: `metadata.name=${manifest.metadata.name}` };
  const answer = await api.open({ method: 'GET', path, query, signal: abort.signal });
  const timer = setTimeout(() => abort.abort(new Error(`${name} did not happen`)), 120_000);
  await cluster.admin.createNamespacedPod({ namespace: NAMESPACE, body: manifest });
  let acted = false;
  let rest = '';
  for await (const chunk of answer) {
    rest += chunk;
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const { object } = JSON.parse(line);
      const pod = slimPod(object);
      if (!pod) continue;
      if (recording.interfere && !acted && recording.interfere.when(pod)) {
        acted = true;
        await recording.interfere.act(cluster, pod.name);
      }
      if (!recording.until(pod)) continue;
      writeFileSync(`${folder}${name}.json`, `${JSON.stringify(trimmed(object), null, 2)}\n`);
      console.log(`${name}: ${pod.phase} ${pod.reason}`);
      await cluster.pods.remove(pod);
      clearTimeout(timer);
      abort.abort();
      return;
    }
  }
}

/** Without what no code of ours reads and what only makes a difference between machines. */
function trimmed(object: { metadata: object; spec: Spec; status: object }) {
  const { nodeName, activeDeadlineSeconds, restartPolicy } = object.spec;
  const metadata = { ...object.metadata, managedFields: undefined };
  const pod = { ...object, metadata, spec: { nodeName, activeDeadlineSeconds, restartPolicy } };
  // The name server of whoever records.
  return JSON.parse(JSON.stringify(pod).replaceAll(/ on [0-9.]+:53/g, ''));
}

mkdirSync(folder, { recursive: true });
const cluster = await clusterPods();
const api = new KubeApi(loadKubeConfig(stackVariable('KUBECONFIG')), {
  requestTimeoutMs: 120_000,
  maxAnswerBytes: 2 ** 24,
});
const wanted = process.argv.slice(2);
for (const [name, recording] of Object.entries(recordings))
  if (wanted.length === 0 || wanted.includes(name))
    await record(cluster, api, name, recording).catch((error) => console.error(name, error));
for (const pod of await cluster.pods.list()) await cluster.pods.remove(pod);
api.close();
await cluster.close();
