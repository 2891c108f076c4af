import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addresses } from './addresses.ts';
import { builtFiles } from './built.ts';
import { clientTls } from './certificates.ts';
import { answersHttps } from './health.ts';
import { componentKubeconfig } from './kubeconfig.ts';
import type { Part } from './part.ts';
import type { Listen } from './ports.ts';
import { authorities, certificates } from './public-keys.ts';
import type { Stack } from './stack.ts';

const stopWithinMs = 20_000;

/** The cluster's store. */
export function etcd(stack: Stack): Part {
  const { layout, ports, versions } = stack;
  const server = clientTls(layout.tls, authorities.etcd, certificates.etcd);
  const client = `https://${addresses.loopback}:${ports.ETCD}`;
  const peer = `https://${addresses.loopback}:${ports.ETCD_PEER}`;
  return {
    name: 'etcd',
    command: builtFiles(layout, versions).etcd,
    args: [
      '--name=pristine',
      `--data-dir=${join(layout.data, 'etcd')}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=pristine=${peer}`,
      '--client-cert-auth',
      `--trusted-ca-file=${server.ca}`,
      `--cert-file=${server.cert}`,
      `--key-file=${server.key}`,
      '--peer-client-cert-auth',
      `--peer-trusted-ca-file=${server.ca}`,
      `--peer-cert-file=${server.cert}`,
      `--peer-key-file=${server.key}`,
      // A local cluster may lose its last moments in a power cut; it must not wait for the disk at each write.
      '--unsafe-no-fsync',
      '--logger=zap',
      '--log-level=warn',
    ],
    configuration: contents([server.ca, server.cert]),
    listens: loopback('ETCD', 'ETCD_PEER'),
    healthy: () => answersHttps(`${client}/readyz`, server),
    readyWithinMs: 30_000,
    stopWithinMs,
  };
}

/** The API server, on the node's address: pods and the machine itself reach it there. */
export function apiServer(stack: Stack): Part {
  const { layout, ports, versions } = stack;
  const file = (name: string): string => join(layout.tls, name);
  const store = clientTls(layout.tls, authorities.etcd, certificates.etcdClient);
  const serving = clientTls(layout.tls, authorities.cluster, certificates.apiServer);
  const toKubelet = clientTls(layout.tls, authorities.cluster, certificates.apiServerToKubelet);
  const auditPolicy = join(layout.repo, 'cluster/manifests/audit-policy.yaml');
  const url = `https://${addresses.node}:${ports.APISERVER}`;
  return {
    name: 'kube-apiserver',
    command: builtFiles(layout, versions).kubeApiserver,
    args: [
      `--etcd-servers=https://${addresses.loopback}:${ports.ETCD}`,
      `--etcd-cafile=${store.ca}`,
      `--etcd-certfile=${store.cert}`,
      `--etcd-keyfile=${store.key}`,
      `--bind-address=${addresses.node}`,
      `--advertise-address=${addresses.node}`,
      `--secure-port=${ports.APISERVER}`,
      `--tls-cert-file=${serving.cert}`,
      `--tls-private-key-file=${serving.key}`,
      `--client-ca-file=${serving.ca}`,
      `--kubelet-certificate-authority=${toKubelet.ca}`,
      `--kubelet-client-certificate=${toKubelet.cert}`,
      `--kubelet-client-key=${toKubelet.key}`,
      '--kubelet-preferred-address-types=InternalIP',
      `--service-cluster-ip-range=${addresses.services}`,
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      `--service-account-signing-key-file=${file('service-account.key')}`,
      `--service-account-key-file=${file('service-account.pub')}`,
      '--authorization-mode=Node,RBAC',
      '--anonymous-auth=false',
      // PodSecurity, ServiceAccount, ResourceQuota, … are on by default.
      '--enable-admission-plugins=NodeRestriction',
      '--allow-privileged=false',
      '--profiling=false',
      ...(stack.audit
        ? [
            `--audit-policy-file=${auditPolicy}`,
            `--audit-log-path=${join(layout.log, 'audit.log')}`,
            '--audit-log-maxsize=200',
            '--audit-log-maxbackup=2',
          ]
        : []),
    ],
    configuration: contents([
      ...[store.cert, serving.cert, serving.ca, toKubelet.cert, file('service-account.pub')],
      ...(stack.audit ? [auditPolicy] : []),
    ]),
    listens: [{ host: addresses.node, port: 'APISERVER' }],
    healthy: () =>
      answersHttps(`${url}/readyz`, clientTls(layout.tls, authorities.cluster, certificates.admin)),
    readyWithinMs: 60_000,
    // It would wait a minute for its watchers to leave; the store is safe without.
    stopWithinMs: 5000,
  };
}

export function controllerManager(stack: Stack): Part {
  const { layout, ports, versions } = stack;
  const serving = clientTls(layout.tls, authorities.cluster, certificates.local);
  const signer = clientTls(layout.tls, authorities.cluster, authorities.cluster);
  const kubeconfig = componentKubeconfig(layout, 'controller-manager');
  return {
    name: 'kube-controller-manager',
    command: builtFiles(layout, versions).kubeControllerManager,
    args: [
      ...delegated(kubeconfig, ports.CONTROLLER_MANAGER, serving),
      `--root-ca-file=${signer.ca}`,
      `--service-account-private-key-file=${join(layout.tls, 'service-account.key')}`,
      `--cluster-signing-cert-file=${signer.cert}`,
      `--cluster-signing-key-file=${signer.key}`,
      '--use-service-account-credentials=true',
      '--allocate-node-cidrs=false',
    ],
    configuration: contents([kubeconfig, serving.cert, signer.cert]),
    listens: loopback('CONTROLLER_MANAGER'),
    healthy: () => answersHttps(`https://${addresses.loopback}:${ports.CONTROLLER_MANAGER}/healthz`, serving),
    readyWithinMs: 30_000,
    stopWithinMs,
  };
}

export function scheduler(stack: Stack): Part {
  const { layout, ports, versions } = stack;
  const serving = clientTls(layout.tls, authorities.cluster, certificates.local);
  const kubeconfig = componentKubeconfig(layout, 'scheduler');
  return {
    name: 'kube-scheduler',
    command: builtFiles(layout, versions).kubeScheduler,
    args: delegated(kubeconfig, ports.SCHEDULER, serving),
    configuration: contents([kubeconfig, serving.cert]),
    listens: loopback('SCHEDULER'),
    healthy: () => answersHttps(`https://${addresses.loopback}:${ports.SCHEDULER}/readyz`, serving),
    readyWithinMs: 30_000,
    stopWithinMs,
  };
}

/** What the two managers have in common: who they are, where they serve, and that nobody else could lead. */
function delegated(kubeconfig: string, port: number, serving: { cert: string; key: string }): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    // There is no aggregated API server whose front proxy could be trusted.
    '--authentication-skip-lookup=true',
    `--bind-address=${addresses.loopback}`,
    `--secure-port=${port}`,
    `--tls-cert-file=${serving.cert}`,
    `--tls-private-key-file=${serving.key}`,
    '--leader-elect=false',
    '--profiling=false',
  ];
}

function loopback(...names: Listen['port'][]): Listen[] {
  return names.map((port) => ({ host: addresses.loopback, port }));
}

function contents(files: readonly string[]): string[] {
  return files.map((file) => readFileSync(file, 'utf8'));
}
