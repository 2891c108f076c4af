import { z } from 'zod';
import { DriverError } from '../errors.ts';
import type { KubeApi } from './kube-api.ts';
import { KubeError } from './kube-error.ts';

export type Access = { verb: string; resource: string; subresource?: string };

/** As a SelfSubjectAccessReview spells them; the group of pods is the empty one. */
export type ResourceAttributes = Access & { group?: string; namespace?: string };

/** All that the driver does, as RBAC names it. The chart's role has the same list. */
export const NEEDED_ACCESS: readonly Access[] = [
  { verb: 'create', resource: 'pods' },
  { verb: 'get', resource: 'pods' },
  { verb: 'list', resource: 'pods' },
  { verb: 'watch', resource: 'pods' },
  { verb: 'delete', resource: 'pods' },
  { verb: 'get', resource: 'pods', subresource: 'log' },
];

/** For those who read logs and nothing else. */
export const LOG_ACCESS: readonly Access[] = [{ verb: 'get', resource: 'pods', subresource: 'log' }];

const reviewSchema = z.object({ status: z.object({ allowed: z.boolean() }) });

/** null when the namespace is there and all of `needed` is allowed. Throws KubeError. */
export async function accessProblem(
  api: KubeApi,
  namespace: string,
  needed: readonly Access[],
): Promise<DriverError | null> {
  if (!(await namespaceThere(api, namespace)))
    return new DriverError(
      'kubernetes.invalid',
      `Namespace ${namespace} does not exist: create it, or name another for the file pods.`,
      { retryable: false },
    );
  const allowed = await Promise.all(needed.map((access) => isAllowed(api, { namespace, ...access })));
  const missing = needed.filter((_, index) => !allowed[index]).map(inWords);
  if (missing.length === 0) return null;
  return new DriverError(
    'kubernetes.forbidden',
    `Not allowed in namespace ${namespace}: ${missing.join(', ')}. Bind a role that allows it.`,
    { retryable: false },
  );
}

async function namespaceThere(api: KubeApi, namespace: string): Promise<boolean> {
  try {
    await api.call({ method: 'GET', path: `/api/v1/namespaces/${encodeURIComponent(namespace)}` });
    return true;
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    if (error.status === 404) return false;
    // A role of one namespace may not read the namespace itself; what counts is asked below.
    if (error.status === 403) return true;
    throw error;
  }
}

/** Whether our credentials may do this. Without `namespace` it is about what belongs to none. Throws KubeError. */
export async function isAllowed(api: KubeApi, attributes: ResourceAttributes): Promise<boolean> {
  const answer = await api.call({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: attributes },
    },
  });
  return reviewSchema.parse(answer).status.allowed;
}

function inWords({ verb, resource, subresource }: Access): string {
  return `${verb} ${resource}${subresource ? `/${subresource}` : ''}`;
}
