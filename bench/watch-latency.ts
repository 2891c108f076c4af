/**
 * How late the end of a pod is seen: by the worker's shared watch, and by `kubectl get pods -w -o json` of the same
 * pods at the same time. Both clocks are this process's. Zero is when the pod's last upload was answered, its last
 * act before it exits; the completion's own timestamp has whole seconds only. So most of each figure is the node's
 * own delay, the same for both, and what the two observers differ in is printed beside it.
 *
 * BENCH_WATCH_PODS (40) pods, a few at a time; then one that runs alone for BENCH_QUIET_SECONDS (360; 0 = leave it
 * out) while nothing else happens on either watch. Alone: `. .pristine/env && node bench/watch-latency.ts`.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type Layout, layoutOf } from '../cluster/layout.ts';
import { OperatorError } from '../cluster/operator-error.ts';
import { workerVariables } from '../cluster/worker-process.ts';
import { filePodManifest } from '../drivers/kubernetes/file-pod.ts';
import { loadKubeConfig } from '../drivers/kubernetes/load-kube-config.ts';
import { filePodSelector } from '../drivers/kubernetes/pod-labels.ts';
import { createPods } from '../drivers/kubernetes/pods.ts';
import type { FilePodRequest, Pods } from '../drivers/ports.ts';
import { profileFingerprint, profileSchema } from '../drivers/profile.ts';
import { readConfig } from '../workers/config.ts';
import { type Observed, watchLines } from './figures.ts';
import { type KubectlWatch, kubectlWatch } from './kubectl-watch.ts';
import { startTimedServer, type TimedServer } from './timed-server.ts';

const AT_ONCE = 4;
const CONTENT = 'rebuild\n';
const count = z.coerce.number().int().min(0);
const settingsSchema = z.object({
  BENCH_WATCH_PODS: count.min(1).default(40),
  BENCH_QUIET_SECONDS: count.default(360),
  PRISTINE_HOST_ADDRESS: z.string(),
});

type Bench = {
  pods: Pods;
  kubectl: KubectlWatch;
  server: TimedServer;
  request(n: number, seconds: number): FilePodRequest;
};

/** Runs it all against the stack that is up, and says so as lines. Removes its pods. */
export async function watchLatency(layout: Layout, say: (...lines: string[]) => void): Promise<void> {
  const settings = settingsSchema.parse(process.env);
  const { BENCH_WATCH_PODS: many, BENCH_QUIET_SECONDS: quiet } = settings;
  const bench = await open(layout, settings.PRISTINE_HOST_ADDRESS, quiet);
  try {
    say(`Watch: ${many} pods, ${AT_ONCE} at a time, seen by Pristine's driver and by kubectl get pods -w…`);
    // Both have their connections then, and kubectl its watch.
    await seen(bench, 0, 0);
    const observed: Observed[] = [];
    let next = 1;
    const some = async () => {
      while (next <= many) observed.push(await seen(bench, next++, 0));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, some));
    const alone = quiet > 0 ? await seen(bench, next, quiet) : undefined;
    say('', 'The end of a pod, seen so long after its last upload', '');
    say(...watchLines(observed, alone === undefined ? undefined : { seconds: quiet, ...alone }));
  } finally {
    for (const pod of await bench.pods.list()) await bench.pods.remove(pod);
    await bench.pods.close();
    await bench.kubectl.stop();
    await bench.server.close();
  }
}

/** One pod from its making to its deletion: milliseconds after its last upload until each observer saw its end. */
async function seen(
  { pods, kubectl, server, request }: Bench,
  n: number,
  seconds: number,
): Promise<Observed> {
  const pod = await pods.create(request(n, seconds));
  const [ours, theirs] = await Promise.all([
    pods.await(pod).then((outcome) => {
      const at = performance.now();
      if (outcome.kind === 'uploaded') return at;
      throw new Error(`Pod ${pod.name} of the bench: ${JSON.stringify(outcome)}`);
    }),
    kubectl.ended(pod.name),
  ]);
  await pods.remove(pod);
  const zero = server.lastUpload(n);
  return { ours: ours - zero, theirs: theirs - zero };
}

async function open(layout: Layout, host: string, quiet: number): Promise<Bench> {
  const { kubernetes } = readConfig(workerVariables(layout));
  // A name of its own: the worker's watch has none of these pods, and kubectl has no others.
  const instance = `bench-watch-${Date.now().toString(36)}`;
  const settings = { ...kubernetes, instance };
  const image = faultyEngine(layout);
  const profileFor = (seconds: number) =>
    profileSchema.parse({ image, args: ['slow', String(seconds)], runDeadlineSeconds: quiet + 300 });
  const silent = () => undefined;
  const server = await startTimedServer(host, CONTENT);
  const pods = createPods({
    kubeConfig: loadKubeConfig(kubernetes.kubeconfig),
    settings,
    manifest: (request) => filePodManifest(request, profileFor(Number(request.scanId)), settings),
    logger: { debug: silent, info: silent, warn: silent, error: silent },
  });
  const kubectl = kubectlWatch(join(layout.bin, 'kubectl'), kubernetes.namespace, filePodSelector(instance));
  const request = (n: number, seconds: number): FilePodRequest => ({
    name: `${instance}-${n}`,
    scanId: String(seconds),
    ...{ workflowId: 'bench', runId: 'bench', attempt: 1, slot: 'a1-bench', tier: 0 },
    sha256: createHash('sha256').update(CONTENT).digest('hex'),
    size: CONTENT.length,
    profile: { name: 'bench', fingerprint: profileFingerprint(profileFor(seconds)) },
    getUrl: `${server.url}/${n}`,
    putUrls: {
      rebuilt: `${server.url}/${n}/rebuilt`,
      'report.xml': `${server.url}/${n}/report.xml`,
      'report.json': `${server.url}/${n}/report.json`,
    },
  });
  return { pods, kubectl, server, request };
}

/** The engine that can be told how long to take; `make up` builds it for the tests. */
function faultyEngine(layout: Layout): string {
  const file = join(layout.state, 'images.json');
  const images = z.object({ engineFaulty: z.string() }).safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (images.success) return images.data.engineFaulty;
  throw new OperatorError('The test engine is not built yet: run make up, and wait for its images.');
}

if (import.meta.main) {
  const layout = layoutOf(join(import.meta.dirname, '..'), process.env);
  await watchLatency(layout, (...lines) => process.stdout.write(lines.map((line) => `${line}\n`).join('')));
}
