/** What a seed acts in: parts of its own where its faults would hurt others, workers, scans, and who plays its pods. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { Client, Connection } from '@temporalio/client';
import type { FaultProxy } from '../../cluster/own-servers/fault-proxy.ts';
import { type OwnRedis, ownRedis } from '../../cluster/own-servers/own-redis.ts';
import { loadBloom } from '../contract/redis-connection.ts';
import { stackVariable } from '../contract/stack.ts';
import { apiProxy } from '../integration/kubernetes-proxy.ts';
import { startWorker, type WorkerProcess } from '../integration/worker-process.ts';
import type { KwokPods } from './kwok-pods.ts';
import { type OwnTemporal, ownTemporal } from './own-temporal.ts';
import { bucket, folders, type Places } from './places.ts';
import type { EngineRun } from './pod-player.ts';
import { watchRealPods } from './real-pods.ts';
import { random, type SeedPlan } from './seed-plan.ts';
import { type Supervised, supervise } from './supervised-worker.ts';

/** Shared by all seeds. */
export type Stage = {
  kwok: KwokPods;
  /** File with the bundled workflows. */
  workflowBundle: string;
  /** An administrator's. */
  kubeConfig: KubeConfig;
};

export type World = {
  client: Client;
  cluster: CoreV1Api;
  redisUrl: string;
  redis: OwnRedis | undefined;
  temporal: OwnTemporal | undefined;
  api: FaultProxy | undefined;
  workers: Supervised[];
  places: Places;
  runs: readonly EngineRun[];
  /** UIDs of pods that the schedule deleted. */
  deleted: Set<string>;
  close(): Promise<void>;
};

const entry = 'test/faults/crash-worker.ts';

export async function openWorld(plan: SeedPlan, stage: Stage): Promise<World> {
  const has = (...kinds: SeedPlan['faults'][number]['kind'][]) =>
    plan.faults.some(({ kind }) => kinds.includes(kind));
  const closing: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const step of closing.reverse()) await step();
  };
  try {
    let redis: OwnRedis | undefined;
    if (has('redis-kill', 'flushall')) {
      redis = await ownRedis([...(await loadBloom()), '--appendonly', 'yes', '--appendfsync', 'always']);
      closing.push(redis.close);
      await redis.start();
    }
    let temporal: OwnTemporal | undefined;
    if (has('temporal-kill')) {
      temporal = await ownTemporal();
      closing.push(temporal.close);
      await temporal.start();
    }
    const address = temporal?.address ?? stackVariable('TEMPORAL_ADDRESS');
    const connection = await Connection.connect({ address });
    closing.push(() => connection.close());

    const settings = {
      TEMPORAL_ADDRESS: address,
      TEST_WORKFLOW_BUNDLE: stage.workflowBundle,
      ...(plan.historyLimit !== undefined && { TEST_HISTORY_LIMIT: String(plan.historyLimit) }),
      PRISTINE_HEARTBEAT_SECONDS: '1',
      PRISTINE_LOCK_TTL_SECONDS: '5',
      PRISTINE_SHUTDOWN_GRACE_SECONDS: '5',
      PRISTINE_BLOOM_CAPACITY: '1000',
      ...(redis && { REDIS_URL: redis.url }),
      ...(plan.realPods ? {} : stage.kwok.env),
    };
    let api: FaultProxy | undefined;
    let kubeconfig: Record<string, string> = {};
    if (has('api')) {
      const worker = new KubeConfig();
      worker.loadFromFile(stackVariable('PRISTINE_WORKER_KUBECONFIG'));
      const proxied = await apiProxy(worker);
      api = proxied.proxy;
      closing.push(proxied.proxy.close);
      const file = join(stage.workflowBundle, '..', `kubeconfig-${plan.seed}`);
      writeFileSync(file, proxied.kubeConfig.exportConfig());
      kubeconfig = { KUBECONFIG: file };
    }
    const workers: Supervised[] = [];
    let first: WorkerProcess | undefined;
    for (const crashes of plan.workers) {
      const lives = crashes.map(({ point, nth }) => ({ TEST_CRASH_AT: `${point}:${nth}` }));
      const process = await startWorker(
        { ...settings, ...kubeconfig, ...lives[0] },
        { entry, ...(first && { beside: first }) },
      );
      first ??= process;
      const supervised = supervise(process, lives.slice(1));
      workers.push(supervised);
      closing.push(supervised.stop);
    }
    if (first === undefined) throw new Error('a plan has a worker');
    const { instance, folder } = first;
    const draw = random(plan.seed + 1);
    const player = plan.realPods
      ? watchRealPods({ kubeConfig: stage.kubeConfig, instance })
      : stage.kwok.play(instance, { engineMs: () => draw.whole(0, plan.engineMs), patient: true });
    closing.push(player.close);
    const places = plan.place === 'bucket' ? await bucket() : folders(join(folder, 'place'));
    closing.push(places.close);
    for (const { path, text } of plan.files) await places.put(path, text);
    return {
      client: new Client({ connection }),
      cluster: stage.kubeConfig.makeApiClient(CoreV1Api),
      redisUrl: redis?.url ?? stackVariable('REDIS_URL'),
      redis,
      temporal,
      api,
      workers,
      places,
      runs: player.runs,
      deleted: new Set(),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
