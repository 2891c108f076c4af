/**
 * Nodes that are none, and kwok, which says of the pods on them what a kubelet would say. The pods run no
 * containers: see pod-player.ts. The cluster's real nodes and all other pods are left alone.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiException, CoreV1Api, KubeConfig, type V1Node } from '@kubernetes/client-node';
import { builtFiles } from '../../cluster/built.ts';
import { layoutOf } from '../../cluster/layout.ts';
import { freePort } from '../../cluster/own-servers/free-port.ts';
import { readVersions } from '../../cluster/versions.ts';
import { stackVariable } from '../contract/stack.ts';
import { kwokConfiguration, NODE_LABEL } from './kwok-stages.ts';

const repo = join(import.meta.dirname, '../..');

export type Kwok = {
  /** What a worker's environment needs for its pods to come to these nodes. */
  env: Record<string, string>;
  close(): Promise<void>;
};

export type KwokOptions = {
  nodes?: number;
  /** Milliseconds until a pod's start, end and disappearance are told, from 0 to this. Default 300. */
  jitterMs?: number;
};

/** Resolves when the nodes are ready. Needs a built kwok (`make build`) and the stack. */
export async function startKwok({ nodes = 1, jitterMs = 300 }: KwokOptions = {}): Promise<Kwok> {
  const layout = layoutOf(repo, process.env);
  const program = builtFiles(layout, readVersions(repo)).kwok;
  if (!existsSync(program)) throw new Error(`${program} is not there: run \`make build\` first`);
  const name = `kwok-${randomBytes(4).toString('hex')}`;
  const folder = join(layout.state, 'test', name);
  mkdirSync(folder, { recursive: true });
  const logs = join(folder, 'container.log');
  // As a container runtime writes it: time, stream, whole line, text.
  writeFileSync(logs, `${new Date().toISOString()} stdout F no container ran\n`);
  const config = join(folder, 'kwok.yaml');
  writeFileSync(config, kwokConfiguration({ logs, jitterMs }));

  const host = stackVariable('PRISTINE_HOST_ADDRESS');
  const port = await freePort(host);
  const kubeconfig = stackVariable('KUBECONFIG');
  const out = openSync(join(folder, 'kwok.log'), 'a');
  const args = [
    `--kubeconfig=${kubeconfig}`,
    `--config=${config}`,
    `--manage-nodes-with-label-selector=${NODE_LABEL}=${name}`,
    // The API server reads containers' logs here and wants to see a kubelet's certificate with this address.
    `--node-ip=${host}`,
    `--node-port=${port}`,
    `--server-address=${host}:${port}`,
    `--tls-cert-file=${join(layout.tls, 'kubelet.crt')}`,
    `--tls-private-key-file=${join(layout.tls, 'kubelet.key')}`,
  ];
  const child = spawn(program, args, { cwd: folder, stdio: ['ignore', out, out] });
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(kubeconfig);
  const api = kubeConfig.makeApiClient(CoreV1Api);
  const names = Array.from({ length: nodes }, (_, at) => `${name}-${at}`);
  const close = async () => {
    for (const node of names) await deleteNode(api, node);
    await end(child);
  };
  try {
    await deleteForgotten(api);
    for (const node of names) await api.createNode({ body: fakeNode(node, name) });
    await ready(api, names, child, join(folder, 'kwok.log'));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    env: {
      PRISTINE_NODE_SELECTOR: `${NODE_LABEL}=${name}`,
      PRISTINE_TOLERATIONS: JSON.stringify([{ key: NODE_LABEL, operator: 'Exists', effect: 'NoSchedule' }]),
    },
    close,
  };
}

function fakeNode(node: string, name: string): V1Node {
  return {
    metadata: {
      name: node,
      labels: { [NODE_LABEL]: name, 'kubernetes.io/hostname': node, 'kubernetes.io/os': 'linux' },
    },
    spec: { taints: [{ key: NODE_LABEL, value: name, effect: 'NoSchedule' }] },
  };
}

async function ready(api: CoreV1Api, names: string[], child: ChildProcess, log: string): Promise<void> {
  for (let round = 0; round < 300; round++) {
    if (child.exitCode !== null) throw new Error(`kwok ended: ${readFileSync(log, 'utf8').slice(-2_000)}`);
    const found = await Promise.all(names.map((name) => api.readNode({ name })));
    const isReady = (node: V1Node) =>
      node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
    // Until the controller manager has seen it, a new node is tainted as not ready.
    const isTainted = (node: V1Node) => node.spec?.taints?.some(({ key }) => key !== NODE_LABEL);
    if (found.every((node) => isReady(node) && !isTainted(node))) return;
    await sleep(100);
  }
  throw new Error(`the nodes of kwok are not ready: ${readFileSync(log, 'utf8').slice(-2_000)}`);
}

/** Nodes of a run that was killed: without their kwok they are not ready. */
async function deleteForgotten(api: CoreV1Api): Promise<void> {
  const { items } = await api.listNode({ labelSelector: NODE_LABEL });
  for (const { metadata, status } of items) {
    const ready = status?.conditions?.find(({ type }) => type === 'Ready');
    if (ready?.status === 'Unknown') await deleteNode(api, metadata?.name ?? '');
  }
}

async function deleteNode(api: CoreV1Api, name: string): Promise<void> {
  const { items } = await api.listPodForAllNamespaces({ fieldSelector: `spec.nodeName=${name}` });
  for (const { metadata } of items) {
    const pod = { name: metadata?.name ?? '', namespace: metadata?.namespace ?? '', gracePeriodSeconds: 0 };
    await api.deleteNamespacedPod(pod).catch(unlessGone);
  }
  await api.deleteNode({ name }).catch(unlessGone);
}

export function unlessGone(error: unknown): undefined {
  if (error instanceof ApiException && error.code === 404) return undefined;
  throw error;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const gone = once(child, 'exit');
  if ((await Promise.race([gone, sleep(5_000, 'late' as const)])) === 'late') child.kill('SIGKILL');
  await gone;
}
