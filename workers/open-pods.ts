/** The cluster, as far as this worker's roles have business with it. */
import { DriverError } from '../drivers/errors.ts';
import type { Logger } from '../drivers/events.ts';
import { LOG_ACCESS, NEEDED_ACCESS } from '../drivers/kubernetes/access.ts';
import { filePodManifest } from '../drivers/kubernetes/file-pod.ts';
import { loadKubeConfig } from '../drivers/kubernetes/load-kube-config.ts';
import { createPods } from '../drivers/kubernetes/pods.ts';
import type { Pods } from '../drivers/ports.ts';
import type { WorkerConfig } from './config.ts';

/**
 * `pods` does all that the driver can, `files` reads logs, `orchestrate` needs no cluster: such a worker gets no token.
 * Throws config.invalid where a cluster is needed and none is configured.
 */
export function openPods(config: WorkerConfig, logger: Logger): Pods {
  const { kubernetes, profiles, roles } = config;
  if (!roles.includes('pods') && !roles.includes('files')) return noPods;
  return createPods({
    kubeConfig: loadKubeConfig(kubernetes.kubeconfig),
    settings: kubernetes,
    access: roles.includes('pods') ? NEEDED_ACCESS : LOG_ACCESS,
    manifest: (request) => {
      const profile = profiles[request.profile.name];
      if (profile === undefined)
        throw new DriverError('config.invalid', 'No such profile.', { retryable: false });
      return filePodManifest(request, profile, kubernetes);
    },
    logger,
  });
}

async function refuse(): Promise<never> {
  throw new DriverError(
    'config.invalid',
    'This worker has no business with the cluster: its roles are without pods and files.',
    { retryable: false },
  );
}

const noPods: Pods = {
  check: refuse,
  create: refuse,
  await: refuse,
  log: refuse,
  remove: refuse,
  list: refuse,
  close: async () => {},
};
