/**
 * A release of the chart beside the bench's own worker, to compare the two: the same images, engine and API server, a
 * Redis of its own in the cluster. Temporal's development server listens on loopback, so that the release reaches it
 * through a door of this process, which the worker on the host does without.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectScanClient, type ScanClient } from '../cli/scan-client.ts';
import { prepareRelease } from '../cluster/chart-release.ts';
import { tool } from '../cluster/cluster-tools.ts';
import type { Layout } from '../cluster/layout.ts';
import { OperatorError } from '../cluster/operator-error.ts';
import { faultProxy } from '../cluster/own-servers/fault-proxy.ts';
import { workerVariables } from '../cluster/worker-process.ts';
import type { Interrupts } from './interrupts.ts';
import type { Bench } from './measured-scan.ts';

export type OwnRelease = {
  /** Of the release, its namespace and its task queue. */
  name: string;
  /** What the release sees as /srv/files. */
  folder: string;
  scans: ScanClient;
  /** `helm install --wait`. */
  install(): Promise<unknown>;
  /** Of each worker, once they are there. */
  metricsUrls(): Promise<string[]>;
  /** With its password. */
  redisUrl(): Promise<string>;
  /** Removes all of it. Also when the bench is interrupted. */
  close(): Promise<void>;
};

/** Makes what has to be there before. Nothing is installed yet. */
export async function openOwnRelease(
  layout: Layout,
  { run, folder, worker }: Bench,
  host: string,
  interrupts: Interrupts,
): Promise<OwnRelease> {
  if (!existsSync(join(layout.bin, 'helm')))
    throw new OperatorError('Helm is not built yet: run make up WAIT=1, which waits for it.');
  if (worker.apiServer === undefined)
    throw new OperatorError('The chart is measured on the local cluster only: unset KUBECONFIG.');
  // Its task queue too, which must not be the other worker's.
  const name = `installed-${run}`;
  const [temporalHost = '', port] = worker.config.temporal.address.split(':');
  const door = await faultProxy({ host: temporalHost, port: Number(port) }, host);
  const preparing = prepareRelease({
    layout,
    name,
    folder: join(folder, 'installed'),
    temporal: `${door.host}:${door.port}`,
    values: releaseValues(layout, worker.apiServer),
  });
  const done = interrupts.undo(() => preparing.then((release) => release.close()));
  const release = await preparing.catch(async (error: unknown) => {
    done();
    await door.close();
    throw error;
  });
  const { temporal } = worker.config;
  const scans = await connectScanClient({ ...worker.config, temporal: { ...temporal, taskQueue: name } });
  const get = (...args: string[]) => tool(layout, 'kubectl', ['-n', name, 'get', ...args]);
  return {
    name,
    folder: release.folder,
    scans,
    install: () => release.install(),
    metricsUrls: async () => {
      const workers = 'app.kubernetes.io/component in (orchestrate, files, pods)';
      const ips = await get('pods', '-l', workers, '-o', 'jsonpath={.items[*].status.podIP}');
      return ips.split(' ').map((ip) => `http://${ip}:9464/metrics`);
    },
    redisUrl: async () => {
      const ip = await get('pod', `${name}-pristine-redis-0`, '-o', 'jsonpath={.status.podIP}');
      const password = await get('secret', `${name}-pristine-redis`, '-o', 'jsonpath={.data.password}');
      return `redis://:${Buffer.from(password, 'base64')}@${ip}:6379`;
    },
    close: async () => {
      await scans.close();
      await release.close();
      await door.close();
      done();
    },
  };
}

function releaseValues(layout: Layout, apiServer: URL): object {
  const { PRISTINE_PROFILES_FILE: profiles = '' } = workerVariables(layout);
  return {
    profiles: JSON.parse(readFileSync(profiles, 'utf8')),
    // So that it is removed sooner.
    workers: { shutdownGraceSeconds: 5 },
    // As a pod is told where the API server is.
    extraEnv: [
      { name: 'KUBERNETES_SERVICE_HOST', value: apiServer.hostname },
      { name: 'KUBERNETES_SERVICE_PORT', value: apiServer.port },
    ],
  };
}
