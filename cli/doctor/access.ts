/** What the credentials of a worker may do, and what they must not be able to. Asked, not tried. */
import {
  accessProblem,
  isAllowed,
  NEEDED_ACCESS,
  type ResourceAttributes,
} from '../../drivers/kubernetes/access.ts';
import type { KubeApi } from '../../drivers/kubernetes/kube-api.ts';
import { type Finding, fail, ok } from './finding.ts';

/** `namespace` is that of the file pods. Elsewhere stands for every other. */
export function forbidden(namespace: string): readonly ResourceAttributes[] {
  const here = (verb: string, resource: string, more: Partial<ResourceAttributes> = {}) => ({
    verb,
    resource,
    namespace,
    ...more,
  });
  return [
    here('get', 'secrets'),
    here('list', 'secrets'),
    here('create', 'secrets'),
    here('get', 'configmaps'),
    here('create', 'pods', { subresource: 'exec' }),
    here('get', 'pods', { subresource: 'exec' }),
    here('create', 'pods', { subresource: 'attach' }),
    here('create', 'pods', { subresource: 'portforward' }),
    here('get', 'pods', { subresource: 'proxy' }),
    here('create', 'pods', { subresource: 'binding' }),
    here('update', 'pods'),
    here('patch', 'pods'),
    here('patch', 'pods', { subresource: 'ephemeralcontainers' }),
    here('update', 'pods', { subresource: 'ephemeralcontainers' }),
    here('deletecollection', 'pods'),
    here('create', 'serviceaccounts', { subresource: 'token' }),
    here('create', 'jobs', { group: 'batch' }),
    here('create', 'deployments', { group: 'apps' }),
    here('create', 'rolebindings', { group: 'rbac.authorization.k8s.io' }),
    here('delete', 'networkpolicies', { group: 'networking.k8s.io' }),
    here('delete', 'resourcequotas'),
    ...['', 'kube-system', 'default'].flatMap((elsewhere) => [
      { verb: 'list', resource: 'secrets', namespace: elsewhere },
      { verb: 'create', resource: 'pods', namespace: elsewhere },
      { verb: 'list', resource: 'pods', namespace: elsewhere },
    ]),
    { verb: 'patch', resource: 'namespaces' },
    { verb: 'get', resource: 'nodes', subresource: 'proxy' },
    {
      verb: 'delete',
      resource: 'validatingadmissionpolicybindings',
      group: 'admissionregistration.k8s.io',
    },
  ];
}

export async function checkAccess(api: KubeApi, namespace: string): Promise<Finding[]> {
  const problem = await accessProblem(api, namespace, NEEDED_ACCESS);
  const needed = problem
    ? fail('rights needed', problem.message)
    : ok('rights needed', `pods can be created, watched, deleted and their logs read in ${namespace}`);
  const all = forbidden(namespace);
  const allowed = await Promise.all(all.map((attributes) => isAllowed(api, attributes)));
  const found = all.filter((_, index) => allowed[index]).map(inWords);
  const denied =
    found.length === 0
      ? ok(
          'rights denied',
          `${all.length} that a worker has no use for, Secrets and exec among them, are denied`,
        )
      : fail(
          'rights denied',
          `these credentials may ${listed(found)}. Bind the role of the chart and no other; run this with the workers' credentials, not an administrator's.`,
        );
  return [needed, denied];
}

function listed(found: readonly string[]): string {
  const shown = found.slice(0, 6).join(', ');
  return found.length > 6 ? `${shown} and ${found.length - 6} more` : shown;
}

function inWords({ verb, resource, subresource, namespace }: ResourceAttributes): string {
  const where = namespace === undefined ? '' : ` in ${namespace === '' ? 'all namespaces' : namespace}`;
  return `${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`}${where}`;
}
