import { join } from 'node:path';
import { filesNamespace } from './addresses.ts';
import type { Layout } from './layout.ts';

/** The kubeconfig of one of the cluster's own components. */
export function componentKubeconfig(layout: Layout, component: string): string {
  return join(layout.conf, `${component}.kubeconfig`);
}

/** A kubeconfig with everything inside it, in JSON, which is YAML too. */
export function kubeconfigOf(
  server: string,
  user: string,
  pem: { ca: Buffer; cert: Buffer; key: Buffer },
): string {
  const context = { cluster: 'pristine', user, namespace: user === 'worker' ? filesNamespace : 'default' };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'pristine', cluster: { server, 'certificate-authority-data': pem.ca.toString('base64') } },
    ],
    users: [
      {
        name: user,
        user: {
          'client-certificate-data': pem.cert.toString('base64'),
          'client-key-data': pem.key.toString('base64'),
        },
      },
    ],
    contexts: [{ name: 'pristine', context }],
    'current-context': 'pristine',
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
