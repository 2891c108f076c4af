import { z } from 'zod';
import { DriverError } from '../errors.ts';
import type { KubeApi } from './kube-api.ts';
import { KubeError } from './kube-error.ts';

/** All that the driver does, as RBAC names it. The chart's role has the same list. */
export const NEEDED_ACCESS = [
  { verb: 'create', resource: 'pods' },
  { verb: 'get', resource: 'pods' },
  { verb: 'list', resource: 'pods' },
  { verb: 'watch', resource: 'pods' },
  { verb: 'delete', resource: 'pods' },
  { verb: 'get', resource: 'pods', subresource: 'log' },
] as const;

const reviewSchema = z.object({ status: z.object({ allowed: z.boolean() }) });

/** null when the namespace is there and all of NEEDED_ACCESS is allowed. Throws KubeError. */
export async function accessProblem(api: KubeApi, namespace: string): Promise<DriverError | null> {
  if (!(await namespaceThere(api, namespace)))
    return new DriverError(
      'kubernetes.invalid',
      `Namespace ${namespace} does not exist: create it, or name another for the file pods.`,
      { retryable: false },
    );
  const allowed = await Promise.all(NEEDED_ACCESS.map((access) => isAllowed(api, namespace, access)));
  const missing = NEEDED_ACCESS.filter((_, index) => !allowed[index]).map(inWords);
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

type Access = { verb: string; resource: string; subresource?: string };

async function isAllowed(api: KubeApi, namespace: string, access: Access): Promise<boolean> {
  const answer = await api.call({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { namespace, ...access } },
    },
  });
  return reviewSchema.parse(answer).status.allowed;
}

function inWords({ verb, resource, subresource }: Access): string {
  return `${verb} ${resource}${subresource ? `/${subresource}` : ''}`;
}
