/**
 * Records the pods in `pods/` that a single node can be made to produce:
 * `. .pristine/env && node test/unit/drivers/kubernetes/record-pods.ts [name …]`. The others there are written by
 * hand, after the sources named in recorded-pods.test.ts. Run it again for a new version of Kubernetes.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { KubeApi } from '../../../../drivers/kubernetes/kube-api.ts';
import { loadKubeConfig } from '../../../../drivers/kubernetes/load-kube-config.ts';
import { slimPod } from '../../../../drivers/kubernetes/slim-pod.ts';
import { type ClusterPods, clusterPods, NAMESPACE } from '../../../contract/cluster-pods.ts';
import { stackVariable } from '../../../contract/stack.ts';
import { type Recording, recordings, type Spec } from './recordings.ts';

const folder = new URL('./pods/', import.meta.url).pathname;

async function record(cluster: ClusterPods, api: KubeApi, name: string, recording: Recording): Promise<void> {
  const manifest = cluster.manifest(cluster.request(recording.behaviour ?? 'rebuild'));
  if (!manifest.spec || !manifest.metadata?.name) throw new Error('no pod');
  const undo = await recording.prepare?.();
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
      await undo?.();
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
