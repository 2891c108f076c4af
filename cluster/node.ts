import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addresses, nodeName } from './addresses.ts';
import { builtFiles } from './built.ts';
import { certificateFiles } from './certificates.ts';
import { cgroupRoot } from './cgroups.ts';
import { containerdSocket } from './containerd.ts';
import { answersHttp } from './health.ts';
import { componentKubeconfig } from './kubeconfig.ts';
import type { Part } from './part.ts';
import { authorities, certificates } from './public-keys.ts';
import type { Stack } from './stack.ts';
import { writeWholeFile } from './whole-file.ts';

/** The agent that runs pods. */
export function kubelet(stack: Stack): Part {
  const { layout, ports, versions } = stack;
  const kubeconfig = componentKubeconfig(layout, certificates.kubelet);
  const config = JSON.stringify(kubeletConfiguration(stack), null, 2);
  const configFile = join(layout.conf, 'kubelet.json');
  writeWholeFile(configFile, config);
  mkdirSync(layout.kubeletRoot, { recursive: true });
  return {
    name: 'kubelet',
    command: builtFiles(layout, versions).kubelet,
    args: [
      `--config=${configFile}`,
      `--kubeconfig=${kubeconfig}`,
      `--root-dir=${layout.kubeletRoot}`,
      `--hostname-override=${nodeName}`,
      // A loopback address is refused; without one "kubectl logs" has nowhere to go.
      `--node-ip=${addresses.node}`,
    ],
    configuration: [config, readFileSync(kubeconfig, 'utf8')],
    listens: [
      { host: addresses.node, port: 'KUBELET' },
      { host: addresses.loopback, port: 'KUBELET_HEALTH' },
    ],
    healthy: () => answersHttp(`http://${addresses.loopback}:${ports.KUBELET_HEALTH}/healthz`),
    readyWithinMs: 30_000,
    stopWithinMs: 20_000,
  };
}

/** Routes service addresses. */
export function kubeProxy(stack: Stack): Part {
  const { layout, ports, versions } = stack;
  const kubeconfig = componentKubeconfig(layout, 'proxy');
  const config = JSON.stringify(proxyConfiguration(stack, kubeconfig), null, 2);
  const configFile = join(layout.conf, 'kube-proxy.json');
  writeWholeFile(configFile, config);
  return {
    name: 'kube-proxy',
    command: builtFiles(layout, versions).kubeProxy,
    args: [`--config=${configFile}`],
    configuration: [config, readFileSync(kubeconfig, 'utf8')],
    listens: [
      { host: addresses.loopback, port: 'PROXY_HEALTH' },
      { host: addresses.loopback, port: 'PROXY_METRICS' },
    ],
    healthy: () => answersHttp(`http://${addresses.loopback}:${ports.PROXY_HEALTH}/livez`),
    readyWithinMs: 30_000,
    stopWithinMs: 20_000,
  };
}

function kubeletConfiguration({ layout, ports }: Stack): object {
  const serving = certificateFiles(layout.tls, certificates.kubelet);
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: addresses.node,
    port: ports.KUBELET,
    readOnlyPort: 0,
    healthzBindAddress: addresses.loopback,
    healthzPort: ports.KUBELET_HEALTH,
    tlsCertFile: serving.cert,
    tlsPrivateKeyFile: serving.key,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: certificateFiles(layout.tls, authorities.cluster).cert },
    },
    authorization: { mode: 'Webhook' },
    containerRuntimeEndpoint: `unix://${containerdSocket(layout)}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: cgroupRoot(layout.id),
    failCgroupV1: false,
    failSwapOn: false,
    oomScoreAdj: 0,
    serializeImagePulls: false,
    registerNode: true,
    maxPods: 250,
    // A fork bomb in one engine stays in its pod.
    podPidsLimit: 1024,
    podLogsDir: join(layout.log, 'pods'),
    containerLogMaxSize: '10Mi',
    containerLogMaxFiles: 2,
    clusterDNS: [addresses.dnsService],
    clusterDomain: 'cluster.local',
    // Pods look up names of the cluster only: the machine's own resolver is not theirs.
    resolvConf: '',
    makeIPTablesUtilChains: false,
    eventRecordQPS: 0,
    // An image that was collected could not be pulled again: no registry serves ours.
    imageGCHighThresholdPercent: 100,
    evictionHard: { 'memory.available': '200Mi', 'nodefs.available': '1Gi', 'imagefs.available': '1Gi' },
  };
}

function proxyConfiguration({ ports }: Stack, kubeconfig: string): object {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    clientConnection: { kubeconfig },
    hostnameOverride: nodeName,
    mode: 'iptables',
    clusterCIDR: addresses.pods,
    detectLocalMode: 'ClusterCIDR',
    bindAddress: addresses.node,
    nodePortAddresses: [`${addresses.node}/32`],
    healthzBindAddress: `${addresses.loopback}:${ports.PROXY_HEALTH}`,
    metricsBindAddress: `${addresses.loopback}:${ports.PROXY_METRICS}`,
    oomScoreAdj: 0,
    iptables: {
      // Pods share one bridge: without it an answer goes straight back there and its address is never translated.
      masqueradeAll: true,
      localhostNodePorts: false,
    },
    // The machine's connection tracking settings are not ours to change.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  };
}
