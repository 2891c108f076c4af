/** A file pod that is made to be looked at: what it is made of is what the workers' are made of. */
import { createHash, randomUUID } from 'node:crypto';
import type { V1Pod } from '@kubernetes/client-node';
import { type FilePodSettings, filePodManifest } from '../../drivers/kubernetes/file-pod.ts';
import type { KubeApi } from '../../drivers/kubernetes/kube-api.ts';
import { KubeError } from '../../drivers/kubernetes/kube-error.ts';
import { podName } from '../../drivers/kubernetes/pod-name.ts';
import type { FilePodRequest } from '../../drivers/ports.ts';
import { type Profile, profileFingerprint } from '../../drivers/profile.ts';

/** Of no content: nobody's file, no result. */
export function probeRequest(name: string, profile: Profile, getUrl: string, tier = 0): FilePodRequest {
  const nonce = randomUUID();
  const sha256 = createHash('sha256').update(nonce).digest('hex');
  const fingerprint = profileFingerprint(profile);
  return {
    name: podName(sha256, fingerprint, 0),
    scanId: 'doctor',
    workflowId: `doctor-${nonce}`,
    runId: nonce,
    sha256,
    size: 0,
    attempt: 0,
    slot: `a0-${nonce}`,
    profile: { name, fingerprint },
    tier,
    getUrl,
    putUrls: { rebuilt: getUrl, 'report.xml': getUrl, 'report.json': getUrl },
  };
}

/** For what is never run. */
const NOWHERE = 'http://doctor.invalid/';

export function probePod(name: string, profile: Profile, settings: FilePodSettings, tier = 0): V1Pod {
  return filePodManifest(probeRequest(name, profile, NOWHERE, tier), profile, settings);
}

export type Tried = { taken: true; answer: unknown } | { taken: false; status: number; said: string };

/** Asks all of admission; stores and runs nothing. Throws KubeError when there was no answer. */
export async function tryPod(api: KubeApi, namespace: string, pod: V1Pod): Promise<Tried> {
  try {
    const answer = await api.call({
      method: 'POST',
      path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`,
      query: { dryRun: 'All' },
      body: pod,
    });
    return { taken: true, answer };
  } catch (error) {
    if (!(error instanceof KubeError) || error.status === 0) throw error;
    return { taken: false, status: error.status, said: error.message };
  }
}
