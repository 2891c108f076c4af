import type { KubeConfig, V1Pod } from '@kubernetes/client-node';
import { DriverError } from '../errors.ts';
import { EVENT, type Logger } from '../events.ts';
import type { FilePodRequest, PodListing, PodOutcome, PodRef, Pods, PodWait } from '../ports.ts';
import { type Access, accessProblem, NEEDED_ACCESS } from './access.ts';
import { boundedLog } from './bounded-text.ts';
import { createOrAdopt } from './create-or-adopt.ts';
import type { FilePodSettings } from './file-pod.ts';
import { httpPodFeed } from './http-pod-feed.ts';
import { KUBE_API_SETTINGS, KubeApi, type KubeApiSettings } from './kube-api.ts';
import { driverError, KubeError, logTrouble } from './kube-error.ts';
import { podEnded } from './pod-ended.ts';
import { filePodSelector, isLabelValue } from './pod-labels.ts';
import { podRefused } from './pod-refused.ts';
import type { PodWaitsSettings } from './pod-waiting.ts';
import { POD_WAITS_SETTINGS, PodWaits } from './pod-waits.ts';
import { POD_WATCH_SETTINGS, PodWatch, type PodWatchSettings } from './pod-watch.ts';
import type { SlimPod } from './slim-pod.ts';

export type PodsOptions = {
  kubeConfig: KubeConfig;
  settings: Pick<FilePodSettings, 'namespace' | 'instance'>;
  /** The pod of a request: `filePodManifest` with the profile that the request names. May throw DriverError. */
  manifest: (request: FilePodRequest) => V1Pod;
  logger: Logger;
  /** What `check` asks for. Default: all that the driver does. */
  access?: readonly Access[];
  api?: Partial<KubeApiSettings>;
  watch?: Partial<PodWatchSettings & { pageSize: number; watchSeconds: number }>;
  waits?: Partial<PodWaitsSettings>;
};

/** Longest time a log's reader looks back; a flood behind it is not worth the transfer. */
const LOG_TAIL_LINES = 5_000;
/** Less than GRACE_SECONDS of the pod: what is deleted has nothing more to say. */
const DELETE_GRACE_SECONDS = 1;

/**
 * The port over a real API server: one keep-alive client, one list+watch that starts with the first pod.
 * Throws DriverError config.invalid when a setting can't be a label's value.
 */
export function createPods(options: PodsOptions): Pods {
  const { settings, logger } = options;
  const { namespace, instance } = settings;
  if (!isLabelValue(instance))
    throw new DriverError(
      'config.invalid',
      `The instance name ${JSON.stringify(instance)} is no label value.`,
      {
        retryable: false,
      },
    );
  const api = new KubeApi(options.kubeConfig, { ...KUBE_API_SETTINGS, ...options.api });
  const { pageSize = 500, watchSeconds = 30, ...watchSettings } = options.watch ?? {};
  const feed = httpPodFeed(api, { namespace, selector: filePodSelector(instance), pageSize, watchSeconds });
  const waits = new PodWaits(() => watch, logger, { ...POD_WAITS_SETTINGS, ...options.waits });
  const watch = new PodWatch(feed, waits, logger, {
    ...POD_WATCH_SETTINGS,
    idleMs: (watchSeconds + 10) * 1000,
    ...watchSettings,
  });
  const pathOf = (name: string) =>
    `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`;

  async function check(): Promise<void> {
    try {
      const problem = await accessProblem(api, namespace, options.access ?? NEEDED_ACCESS);
      if (problem) throw problem;
    } catch (error) {
      throw driverError(error, 'reach Kubernetes');
    }
  }

  async function create(request: FilePodRequest): Promise<PodRef & { adopted: boolean }> {
    watch.start();
    const manifest = options.manifest(request);
    const pod = await createOrAdopt(api, manifest, { namespace, instance }, request, remove).catch(
      (error: unknown) => {
        const refused = podRefused(request, error);
        if (refused) logger.warn(refused, 'pod refused');
        throw error;
      },
    );
    const fields = {
      sha256: request.sha256,
      pod: pod.name,
      uid: pod.uid,
      slot: pod.slot,
      attempt: request.attempt,
      tier: request.tier,
    };
    if (pod.adopted) logger.info({ event: EVENT.podAdopted, ...fields }, 'pod adopted');
    else logger.info({ event: EVENT.podCreated, ...fields }, 'pod created');
    return pod;
  }

  async function wait(pod: PodRef, how: PodWait = {}): Promise<PodOutcome> {
    const ended = waits.wait(pod, how);
    // In this order, so that the first list can say that the pod is gone.
    watch.start();
    const outcome = await ended;
    logger.info(podEnded(pod, outcome, how.sha256), 'reason' in outcome ? outcome.reason : 'pod ended');
    return outcome;
  }

  async function readLog(pod: PodRef, container: string, maxBytes: number): Promise<string | null> {
    const query = { container, tailLines: LOG_TAIL_LINES };
    // The API asks for a log by name only.
    if ((waits.named(pod.name)?.uid ?? pod.uid) !== pod.uid) return null;
    try {
      // The API has limitBytes, but counts them from the start of the tail, and the end is what says why.
      const { bytes } = await api.read({ method: 'GET', path: `${pathOf(pod.name)}/log`, query }, maxBytes);
      // The kubelet's answer, with status 200, when the runtime has let the container go.
      if (/^unable to retrieve container logs for \S+$/.test(bytes.toString().trim())) return null;
      return boundedLog(bytes, maxBytes);
    } catch (error) {
      const trouble = error instanceof KubeError ? logTrouble(error) : 'later';
      if (trouble === 'later') throw driverError(error, `read the log of pod ${pod.name}`);
      if (trouble === 'lost') {
        const fields = { event: EVENT.containerLogLost, pod: pod.name, container, err: error };
        logger.warn(fields, 'a log can not be read: the result goes on without it');
      }
      return null;
    }
  }

  async function remove(pod: { name: string; uid: string }): Promise<void> {
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      gracePeriodSeconds: DELETE_GRACE_SECONDS,
      propagationPolicy: 'Background',
      preconditions: { uid: pod.uid },
    };
    try {
      await api.call({ method: 'DELETE', path: pathOf(pod.name), body });
    } catch (error) {
      // 404: nothing has the name. 409: another pod has it, so that of this UID is gone.
      if (error instanceof KubeError && (error.status === 404 || error.status === 409)) return;
      throw driverError(error, `delete pod ${pod.name}`, { renewable: true });
    }
    logger.info({ event: EVENT.podDeleted, pod: pod.name, uid: pod.uid }, 'pod deleted');
  }

  async function list(): Promise<PodListing[]> {
    const found: PodListing[] = [];
    let next: string | undefined;
    try {
      do {
        const page = await feed.list(next, AbortSignal.timeout(60_000));
        found.push(...page.pods.map(podListing));
        next = page.next;
      } while (next !== undefined);
    } catch (error) {
      throw driverError(error, 'list the pods');
    }
    return found;
  }

  async function close(): Promise<void> {
    waits.close();
    await watch.close();
    api.close();
  }

  return { check, create, await: wait, log: readLog, remove, list, close };
}

function podListing({ name, uid, annotations, createdAt = '', phase, deletion }: SlimPod): PodListing {
  const { workflowId = '', runId = '' } = annotations;
  return {
    name,
    uid,
    workflowId,
    runId,
    createdAt,
    phase: deletion ? 'Terminating' : phase,
  };
}
