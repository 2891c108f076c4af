import type { V1Pod } from '@kubernetes/client-node';
import { DriverError } from '../errors.ts';
import { type FilePodRequest, type PodRef, SLOT } from '../ports.ts';
import type { KubeApi } from './kube-api.ts';
import { driverError, KubeError } from './kube-error.ts';
import { podOutcome } from './pod-outcome.ts';
import { type SlimPod, slimPod } from './slim-pod.ts';

export type Created = PodRef & { adopted: boolean };
/** `adopt` it; `wait` until it is away; `replace` it: remove it, then wait; `foreign`: hands off. */
export type AdoptionStep = 'adopt' | 'wait' | 'replace' | 'foreign';

/**
 * What to do with the pod that has the name already. Pure.
 *
 * 1. It is not of this installation, content and profile, or has no slot: foreign.
 * 2. It is being deleted: wait.
 * 3. It is of the same workflow run: adopt, also when it has failed. Its end is this attempt's end; a second pod
 *    would hide a counted failure.
 * 4. It is of another run and its links lead elsewhere: replace. What it uploads is not where we look for it.
 * 5. It is of another run and has failed: replace. What went wrong for somebody else is no result of ours.
 * 6. It is of another run and healthy or done: adopt. A retry never kills what works.
 */
export function adoptionStep(pod: SlimPod, request: FilePodRequest, instance: string): AdoptionStep {
  const { sha256, fingerprint, slot = '', workflowId, runId, places } = pod.annotations;
  if (pod.instance !== instance || !SLOT.test(slot)) return 'foreign';
  if (sha256 !== request.sha256 || fingerprint !== request.profile.fingerprint) return 'foreign';
  if (pod.deletion) return 'wait';
  if (workflowId === request.workflowId && runId === request.runId) return 'adopt';
  const elsewhere = places !== undefined && request.places !== undefined && places !== request.places;
  if (elsewhere) return 'replace';
  const outcome = podOutcome(pod);
  return outcome && outcome.kind !== 'uploaded' && outcome.kind !== 'refused' ? 'replace' : 'adopt';
}

/** Creates the pod, or takes over the one of that name. Throws DriverError kubernetes.*. */
export async function createOrAdopt(
  api: KubeApi,
  manifest: V1Pod,
  { namespace, instance }: { namespace: string; instance: string },
  request: FilePodRequest,
  remove: (pod: { name: string; uid: string }) => Promise<void>,
): Promise<Created> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
  const doing = `create pod ${request.name}`;
  try {
    // Strict: a server that does not know a field must say so and not run the pod without it.
    const query = { fieldManager: 'pristine', fieldValidation: 'Strict' };
    const answer = await api.call({ method: 'POST', path, query, body: manifest });
    const created = readPod(answer);
    await refuseWeaker(manifest, answer, created, remove);
    return { name: created.name, uid: created.uid, slot: request.slot, adopted: false };
  } catch (error) {
    // A quota in contention answers 409 too, with the reason Conflict.
    if (!(error instanceof KubeError && error.reason === 'AlreadyExists')) throw driverError(error, doing);
  }

  let existing: SlimPod;
  try {
    existing = readPod(
      await api.call({ method: 'GET', path: `${path}/${encodeURIComponent(request.name)}` }),
    );
  } catch (error) {
    if (error instanceof KubeError && error.status === 404)
      throw conflict(`Pod ${request.name} was there a moment ago; try again.`, true);
    throw driverError(error, doing);
  }
  switch (adoptionStep(existing, request, instance)) {
    case 'adopt':
      return {
        name: existing.name,
        uid: existing.uid,
        slot: existing.annotations.slot ?? request.slot,
        adopted: true,
      };
    case 'wait':
      throw conflict(`Pod ${request.name} of an earlier try is still being deleted.`, true);
    case 'replace':
      await remove(existing);
      throw conflict(
        `Pod ${request.name} of an earlier run is of no use to this one and is being removed.`,
        true,
      );
    case 'foreign':
      throw conflict(
        `Pod ${request.name} is not of this installation; find out whose it is and delete it.`,
        false,
      );
  }
}

function readPod(json: unknown): SlimPod {
  const pod = slimPod(json);
  if (!pod) throw new KubeError({ message: 'The API server answered something that is no pod.' });
  return pod;
}

/** A cluster with a feature switched off drops its fields in silence: then the pod must not run. */
async function refuseWeaker(
  wanted: V1Pod,
  answer: unknown,
  created: SlimPod,
  remove: (pod: { name: string; uid: string }) => Promise<void>,
): Promise<void> {
  if (wanted.spec?.hostUsers !== false || hostUsersOf(answer) === false) return;
  await remove(created);
  throw new DriverError(
    'kubernetes.invalid',
    'The cluster ignores hostUsers: false; switch user namespaces on, or take hostUsers out of the profile.',
    { retryable: false },
  );
}

function hostUsersOf(json: unknown): unknown {
  const spec = typeof json === 'object' && json !== null && 'spec' in json ? json.spec : undefined;
  return typeof spec === 'object' && spec !== null && 'hostUsers' in spec ? spec.hostUsers : undefined;
}

function conflict(message: string, retryable: boolean): DriverError {
  return new DriverError('kubernetes.conflict', message, {
    retryable,
    ...(retryable && { retryAfterMs: 1_000 }),
  });
}
