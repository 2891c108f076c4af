import { join } from 'node:path';
import { ensureVolatile, hasNode, markNode } from './boot-mark.ts';
import { readImages } from './build-images.ts';
import { all, buildFirst, buildLater, isLaterBuilt } from './builds.ts';
import { ensureCgroups } from './cgroups.ts';
import { containerd, importPauseImage } from './containerd.ts';
import { apiServer, controllerManager, etcd, scheduler } from './control-plane.ts';
import { installCoredns } from './coredns.ts';
import { tidyDeadCopy } from './dead-copy.ts';
import { linkTools, type Target, writeEnvironment } from './environment.ts';
import { deleteLostPods, kubectl, prepareNamespace, waitForNode } from './kubectl.ts';
import { launchLaterBuilds, waitForLaterBuilds } from './later-builds.ts';
import { ensureNetwork } from './network.ts';
import { kubelet, kubeProxy } from './node.ts';
import { refuseOtherNode } from './other-node.ts';
import type { Part } from './part.ts';
import { readRecord } from './pid-file.ts';
import { ensureProjectImages, type ProjectImages, pushProjectImages } from './project-images.ts';
import { ensurePublicKeys } from './public-keys.ts';
import { redis } from './redis.ts';
import { ensureBuckets, s3 } from './s3.ts';
import type { Stack } from './stack.ts';
import { type Ensured, ensureRunning, isRunning } from './supervise.ts';
import { saveSysctls } from './sysctls.ts';
import { temporal } from './temporal.ts';
import { writeWorkerEnvironment } from './worker-environment.ts';
import { worker, workerVariables } from './worker-process.ts';

export type UpOptions = {
  /** Waits for what the stack can start without (CoreDNS, Helm), or leaves it to a process of its own. */
  readonly wait: boolean;
  /** The project's images that are there when it returns: those that a scan needs, or also those of tests. */
  readonly images: 'needed' | 'all';
};

/**
 * Builds what is not built, starts what does not run, restarts what is unwell or was configured differently, and
 * returns when all of it is ready. Doing it again changes nothing.
 */
export async function up(stack: Stack, target: Target, { wait, images: which }: UpOptions): Promise<void> {
  const building = buildFirst(stack, target.local);
  const imaging = ensureProjectImages(stack, which);
  await all([building, imaging]);
  const images = await imaging;
  if (wait) {
    await waitForLaterBuilds(stack);
    await buildLater(stack);
  }
  linkTools(stack);
  const started = target.local
    ? await startWithCluster(stack, target, images)
    : await startForOtherCluster(stack, target);
  writeEnvironment(stack, target);
  started.push(await startWorker(stack, target));
  if (target.local) await completeLater(stack, target, wait);
  stack.progress.line(
    started.every((how) => how === 'kept') ? 'Everything was running already.' : 'Everything is up.',
  );
}

/** Starts everything, the cluster's parts in the order in which they need each other, the rest along with them. */
async function startWithCluster(stack: Stack, target: Target, images: ProjectImages): Promise<Ensured[]> {
  const { layout } = stack;
  const cluster = { program: target.kubectl, kubeconfig: target.kubeconfig };
  const fresh = !hasNode(layout);
  if (fresh) {
    await tidyDeadCopy(stack);
    await refuseOtherNode(layout);
  }
  await ensureVolatile(layout);
  saveSysctls(layout);
  ensureCgroups(layout.id);
  await Promise.all([ensureNetwork(layout), ensurePublicKeys(stack)]);

  const ensured: Ensured[] = [];
  const ensure = async (part: Part): Promise<void> => {
    ensured.push(await ensureAndTell(stack, part));
  };
  const api = ensure(etcd(stack)).then(() => ensure(apiServer(stack)));
  const runtime = ensure(containerd(stack)).then(() => importPauseImage(stack));
  const managers = api.then(() => all([ensure(controllerManager(stack)), ensure(scheduler(stack))]));
  const node = all([api, runtime]).then(async () => {
    if (fresh) {
      await deleteLostPods(cluster);
      markNode(layout);
    }
    await all([ensure(kubelet(stack)), ensure(kubeProxy(stack))]);
    await waitForNode(cluster, readRecord(layout.run, 'kubelet')?.startedAt ?? 0, 60_000);
  });
  const namespace = managers.then(() => prepareNamespace(cluster, layout.repo));
  const imported = runtime.then(() => images.importInto(stack));
  const beside = startBesideCluster(stack, target);
  await all([node, namespace, imported, beside]);
  return [...ensured, ...(await beside)];
}

/** Sends the images to the caller's cluster, prepares its namespace, and starts what lies beside a cluster. */
async function startForOtherCluster(stack: Stack, target: Target): Promise<Ensured[]> {
  const cluster = { program: target.kubectl, kubeconfig: target.kubeconfig };
  const beside = startBesideCluster(stack, target);
  await all([pushProjectImages(stack, process.env), prepareNamespace(cluster, stack.layout.repo), beside]);
  return await beside;
}

/** Starts what does not belong to the cluster. */
async function startBesideCluster(stack: Stack, target: Target): Promise<Ensured[]> {
  const started = [temporal(stack), redis(stack), s3(stack, target.host)].map((part) =>
    ensureAndTell(stack, part),
  );
  await all(started);
  await ensureBuckets(stack, target.host);
  return await Promise.all(started);
}

async function ensureAndTell({ layout, ports, progress }: Stack, part: Part): Promise<Ensured> {
  const since = Date.now();
  const how = await ensureRunning(layout, ports, part);
  if (how !== 'kept') progress.line(`${part.name}: ${how} (${((Date.now() - since) / 1000).toFixed(1)} s)`);
  return how;
}

async function startWorker(stack: Stack, target: Target): Promise<Ensured> {
  const { pod, engineMat2 } = await readImages(stack.layout.state);
  if (pod === undefined || engineMat2 === undefined)
    throw new Error('the images are built and have no names');
  const images = { pod, engine: engineMat2 };
  writeWorkerEnvironment(stack.layout, { host: target.host, images, env: process.env });
  const part = worker(stack.layout, workerVariables(stack.layout));
  return await ensureAndTell(stack, part);
}

async function completeLater(stack: Stack, target: Target, wait: boolean): Promise<void> {
  const cluster = { program: target.kubectl, kubeconfig: target.kubeconfig };
  if (isLaterBuilt(stack)) {
    await installCoredns(stack, cluster);
    if (!wait) return;
    await kubectl(cluster, [
      '-n',
      'kube-system',
      'rollout',
      'status',
      'deployment/coredns',
      '--timeout=120s',
    ]);
    return;
  }
  if (isRunning(stack.layout, 'later-builds')) return;
  await launchLaterBuilds(stack);
  const log = join(stack.layout.log, 'later-builds.log');
  stack.progress.line(`CoreDNS and Helm are being built in the background, which takes minutes: ${log}`);
}
