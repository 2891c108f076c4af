/** Runs a probe pod until it has shown what it is for, and deletes it. */
import { type FilePodSettings, filePodManifest } from '../../drivers/kubernetes/file-pod.ts';
import type { KubeApi } from '../../drivers/kubernetes/kube-api.ts';
import { KubeError } from '../../drivers/kubernetes/kube-error.ts';
import { mistake } from '../../drivers/kubernetes/pod-trouble.ts';
import { type SlimPod, slimPod } from '../../drivers/kubernetes/slim-pod.ts';
import { sleep } from '../../drivers/kubernetes/until-aborted.ts';
import type { Profile } from '../../drivers/profile.ts';
import { probeRequest } from './probe-pod.ts';

/** `fetch` gives a connection ten seconds: who has not come by then is kept from it. */
const CONNECT_SECONDS = 13;
const LOOK_MS = 500;

export type Probe = {
  /** `ended` or `silent`: its programs ran. */
  how: 'reached' | 'ended' | 'silent' | 'not-started' | 'interrupted';
  /** Why it did not start, as far as the cluster says. */
  why: string;
};

export type ProbeOrder = {
  api: KubeApi;
  settings: FilePodSettings;
  profile: [name: string, settings: Profile];
  link: { url: string; reached(): boolean };
  startSeconds: number;
  /** Whoever asked has gone: the pod is deleted at once. */
  stop: AbortSignal;
};

/** `fetch` of a pod of this profile asks for the link. Throws KubeError when the pod is not taken. */
export async function runProbe(order: ProbeOrder): Promise<Probe> {
  const { api, settings, link, stop } = order;
  if (stop.aborted) return { how: 'interrupted', why: '' };
  const [name, profile] = order.profile;
  const request = probeRequest(name, profile, link.url);
  const path = `/api/v1/namespaces/${encodeURIComponent(settings.namespace)}/pods`;
  await api.call({ method: 'POST', path, body: filePodManifest(request, profile, settings) });
  try {
    return await watchProbe(order, `${path}/${request.name}`);
  } finally {
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 1 };
    await api.call({ method: 'DELETE', path: `${path}/${request.name}`, body }).catch(unlessGone);
  }
}

async function watchProbe({ api, link, startSeconds, stop }: ProbeOrder, path: string): Promise<Probe> {
  const began = Date.now();
  let startedAt: number | undefined;
  for (;;) {
    if (stop.aborted) return { how: 'interrupted', why: '' };
    const pod = slimPod(await api.call({ method: 'GET', path }));
    if (link.reached()) return { how: 'reached', why: '' };
    const fetch = pod?.containers.fetch;
    if (fetch?.state === 'terminated') return { how: 'ended', why: fetch.message };
    if (fetch?.state === 'running') startedAt ??= Date.now();
    const silent = startedAt !== undefined && Date.now() - startedAt > CONNECT_SECONDS * 1000;
    if (silent) return { how: 'silent', why: '' };
    const late = startedAt === undefined && Date.now() - began > startSeconds * 1000;
    if (late || pod?.phase === 'Failed') return { how: 'not-started', why: whyNot(pod) };
    await sleep(LOOK_MS, stop);
  }
}

function whyNot(pod: SlimPod | null): string {
  if (!pod) return '';
  const scheduled = pod.scheduled?.status === 'False' ? pod.scheduled.message : '';
  return mistake(pod) ?? (scheduled || pod.message || pod.reason);
}

function unlessGone(error: unknown): void {
  if (!(error instanceof KubeError && error.status === 404)) throw error;
}
