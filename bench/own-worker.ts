/**
 * A worker of the bench's own, with a Redis, an API server (one more on the cluster's store), a task queue and an
 * instance label of its own. Nobody else asks that Redis or that API server anything, no other scan is in its
 * memory, and its pods are told apart from all others. Otherwise it is set up like the worker that `make up` starts.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Layout } from '../cluster/layout.ts';
import { OperatorError } from '../cluster/operator-error.ts';
import { freePort } from '../cluster/own-servers/free-port.ts';
import { bloomOf, ownRedis } from '../cluster/own-servers/own-redis.ts';
import { secondApiServer } from '../cluster/own-servers/second-api-server.ts';
import { workerVariables } from '../cluster/worker-process.ts';
import { loadKubeConfig } from '../drivers/kubernetes/load-kube-config.ts';
import { readConfig, type WorkerConfig } from '../workers/config.ts';

export type OwnWorker = {
  config: WorkerConfig;
  redisUrl: string;
  metricsUrl: string;
  pid: number;
  /** Of its own; undefined where the cluster is not the local one. */
  apiServer: URL | undefined;
  /** The API server's audit log; there is none where the cluster is not the local one. */
  auditLog: string;
  /** SIGTERM to the worker, then its servers end. */
  stop(): Promise<void>;
  /** SIGKILL to the worker, for a bench that is interrupted; its servers end. */
  abandon(): Promise<void>;
};

/** Resolves when it is ready. `name` is its task queue, key prefix and instance; its log goes into `folder`. */
export async function startOwnWorker(
  layout: Layout,
  { name, host, folder }: { name: string; host: string; folder: string },
): Promise<OwnWorker> {
  // As the stack's Redis keeps its data.
  const bloom = await bloomOf(workerVariables(layout).REDIS_URL ?? '');
  const redis = await ownRedis([...bloom, '--appendonly', 'yes', '--appendfsync', 'everysec']);
  let api: AuditedApi | undefined;
  try {
    await redis.start();
    mkdirSync(folder, { recursive: true });
    api = await auditedApi(layout, folder);
    const [http, files] = [await freePort('127.0.0.1'), await freePort(host)];
    const variables = {
      ...workerVariables(layout),
      ...(api === undefined ? {} : { KUBECONFIG: api.kubeconfig }),
      REDIS_URL: redis.url,
      PRISTINE_TASK_QUEUE: name,
      PRISTINE_KEY_PREFIX: name,
      PRISTINE_INSTANCE: name,
      PRISTINE_HTTP_LISTEN: `127.0.0.1:${http}`,
      PRISTINE_FILE_SERVER_LISTEN: `${host}:${files}`,
      PRISTINE_FILE_SERVER_URL: `http://${host}:${files}`,
      PRISTINE_SEARCH_ATTRIBUTES: 'on',
    };
    const log = join(folder, 'worker.log');
    const out = openSync(log, 'a');
    const child = spawn(process.execPath, [join(layout.repo, 'workers/main.ts')], {
      env: { ...process.env, ...variables },
      stdio: ['ignore', out, out],
    });
    // Should the bench be ended, or end by an error that nobody took: nothing of it stays behind.
    process.once('exit', () => {
      child.kill('SIGKILL');
      for (const server of [redis, api]) server?.close().catch(() => {});
    });
    await once(child, 'spawn');
    await ready(child, http, log);
    return {
      config: readConfig(variables),
      redisUrl: redis.url,
      metricsUrl: `http://127.0.0.1:${http}/metrics`,
      apiServer: api?.url,
      pid: child.pid ?? 0,
      auditLog: join(folder, AUDIT_LOG),
      stop: async () => {
        await stop(child);
        await api?.close();
        await redis.close();
      },
      abandon: async () => {
        child.kill('SIGKILL');
        await api?.close();
        await redis.close();
      },
    };
  } catch (error) {
    await api?.close();
    await redis.close();
    throw error;
  }
}

const AUDIT_LOG = 'audit.log';
type AuditedApi = { kubeconfig: string; url: URL; close(): Promise<void> };

/** As the worker's own user, who may no more than that. undefined where no API server of ours runs. */
async function auditedApi(layout: Layout, folder: string): Promise<AuditedApi | undefined> {
  if (!existsSync(join(layout.run, 'kube-apiserver.pid'))) return undefined;
  const { kubeConfig, close } = await secondApiServer(loadKubeConfig(workerVariables(layout).KUBECONFIG), [
    `--audit-policy-file=${join(layout.repo, 'cluster/manifests/audit-policy.yaml')}`,
    `--audit-log-path=${join(folder, AUDIT_LOG)}`,
  ]);
  const kubeconfig = join(folder, 'worker.kubeconfig');
  writeFileSync(kubeconfig, kubeConfig.exportConfig(), { mode: 0o600 });
  return { kubeconfig, url: new URL(kubeConfig.getCurrentCluster()?.server ?? ''), close };
}

/** Asked a few times only: each time is a dozen requests to the API server and Redis. */
async function ready(child: ChildProcess, http: number, log: string): Promise<void> {
  for (let second = 0; second < 120; second++) {
    if (ended(child)) break;
    const answer = await fetch(`http://127.0.0.1:${http}/readyz`).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(1000);
  }
  await stop(child);
  throw new OperatorError(`The bench's worker does not get ready: ${readFileSync(log, 'utf8').slice(-2000)}`);
}

function ended(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function stop(child: ChildProcess): Promise<void> {
  if (ended(child)) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}
