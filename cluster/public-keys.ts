import { readFileSync } from 'node:fs';
import { addresses, nodeName } from './addresses.ts';
import {
  clientTls,
  ensureAuthority,
  ensureCertificate,
  ensureKeyPair,
  type Subject,
} from './certificates.ts';
import { componentKubeconfig, kubeconfigOf } from './kubeconfig.ts';
import type { Stack } from './stack.ts';
import { writeWholeFile } from './whole-file.ts';

/** The two authorities: nobody whom the cluster trusts may talk to its store by that alone. */
export const authorities = { cluster: 'cluster-ca', etcd: 'etcd-ca' } as const;

/** The file names of the certificates. */
export const certificates = {
  etcd: 'etcd',
  etcdClient: 'etcd-client',
  apiServer: 'apiserver',
  apiServerToKubelet: 'apiserver-kubelet-client',
  local: 'local',
  kubelet: 'kubelet',
  admin: 'admin',
  worker: 'worker',
} as const;

const local = ['DNS:localhost', `IP:${addresses.loopback}`];

const etcdSubjects: readonly Subject[] = [
  { file: certificates.etcd, commonName: 'etcd', alternativeNames: local },
  { file: certificates.etcdClient, commonName: 'kube-apiserver' },
];

const clusterSubjects: readonly Subject[] = [
  {
    file: certificates.apiServer,
    commonName: 'kube-apiserver',
    alternativeNames: [
      ...local,
      `IP:${addresses.node}`,
      `IP:${addresses.apiService}`,
      'DNS:kubernetes',
      'DNS:kubernetes.default',
      'DNS:kubernetes.default.svc',
      'DNS:kubernetes.default.svc.cluster.local',
    ],
  },
  { file: certificates.apiServerToKubelet, commonName: 'kube-apiserver', organisation: 'system:masters' },
  { file: certificates.local, commonName: 'localhost', alternativeNames: local },
  {
    // One certificate to serve with and to be known by: the user that the Node authorizer looks for.
    file: certificates.kubelet,
    commonName: `system:node:${nodeName}`,
    organisation: 'system:nodes',
    alternativeNames: [`DNS:${nodeName}`, `IP:${addresses.node}`],
  },
  { file: 'controller-manager', commonName: 'system:kube-controller-manager' },
  { file: 'scheduler', commonName: 'system:kube-scheduler' },
  { file: 'proxy', commonName: 'system:kube-proxy' },
  { file: certificates.admin, commonName: 'pristine-admin', organisation: 'system:masters' },
  // What it may do is said by a RoleBinding in cluster/manifests/namespace.yaml.
  { file: certificates.worker, commonName: 'pristine-worker' },
];

/** Makes all keys, certificates and kubeconfigs that are missing, run out soon, or were for something else. */
export async function ensurePublicKeys(stack: Stack): Promise<void> {
  const { layout, ports } = stack;
  await Promise.all([
    ensureAuthority(layout.tls, authorities.cluster),
    ensureAuthority(layout.tls, authorities.etcd),
  ]);
  await Promise.all([
    ensureKeyPair(layout.tls, 'service-account'),
    ...etcdSubjects.map((subject) => ensureCertificate(layout.tls, authorities.etcd, subject)),
    ...clusterSubjects.map((subject) => ensureCertificate(layout.tls, authorities.cluster, subject)),
  ]);
  const server = `https://${addresses.node}:${ports.APISERVER}`;
  const kubeconfigs: readonly [certificate: string, file: string][] = [
    [certificates.admin, layout.kubeconfig],
    [certificates.worker, layout.workerKubeconfig],
    ...['controller-manager', 'scheduler', 'proxy', certificates.kubelet].map((name): [string, string] => [
      name,
      componentKubeconfig(layout, name),
    ]),
  ];
  for (const [certificate, file] of kubeconfigs) {
    const tls = clientTls(layout.tls, authorities.cluster, certificate);
    const pem = { ca: readFileSync(tls.ca), cert: readFileSync(tls.cert), key: readFileSync(tls.key) };
    writeWholeFile(file, kubeconfigOf(server, certificate, pem));
  }
}
