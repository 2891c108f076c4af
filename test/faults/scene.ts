/** What fault tests act in: workers of their own, places with files, scans, and the API server's own view of pods. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { CoreV1Api, KubeConfig, type V1Pod } from '@kubernetes/client-node';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import type { CrashPoint } from '../../activities/crash-points.ts';
import { bundleWorkflows } from '../../workers/roles.ts';
import type { ScanSummary } from '../../workflows/contract.ts';
import { stackVariable } from '../contract/stack.ts';
import { expectAccounted, expectEngineRuns, expectWhole } from '../integration/oracle.ts';
import type { WorkerOptions, WorkerProcess } from '../integration/worker-process.ts';
import { startWorker } from '../integration/worker-process.ts';
import { bucket, folders, type Places } from './places.ts';

const NAMESPACE = 'pristine-files';

export const sha256Of = (text: string) => createHash('sha256').update(text).digest('hex');

/** For a worker that kills itself at this point, the nth time that it comes there. */
export const crashAt = (point: CrashPoint, nth = 1) => ({ TEST_CRASH_AT: `${point}:${nth}` });
/** For its restart: it lives on. */
export const survives = { TEST_CRASH_AT: '' };

/** The engine's container is at work in this pod. */
export const inEngine = (pod: V1Pod) =>
  (pod.status?.initContainerStatuses ?? []).some(({ name, state }) => name === 'engine' && state?.running);

export type Scene = Awaited<ReturnType<typeof openScene>>;

export async function openScene(address = stackVariable('TEMPORAL_ADDRESS')) {
  const connection = await Connection.connect({ address });
  const client = new Client({ connection });
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(stackVariable('KUBECONFIG'));
  const cluster = kubeConfig.makeApiClient(CoreV1Api);
  const workers: WorkerProcess[] = [];
  const places: Places[] = [];
  let made = 0;

  const folder = mkdtempSync(join(tmpdir(), 'pristine-scene-'));
  const bundle = join(folder, 'workflows.cjs');
  writeFileSync(bundle, (await bundleWorkflows({ warn() {}, error() {} })).code);

  /** As it is shipped, but that the workflows are bundled once for all, and that it can be told to crash. */
  async function worker(more: Record<string, string> = {}, options: Omit<WorkerOptions, 'entry'> = {}) {
    const started = await startWorker(
      { TEMPORAL_ADDRESS: address, TEST_WORKFLOW_BUNDLE: bundle, ...more },
      { entry: 'test/faults/crash-worker.ts', ...options },
    );
    workers.push(started);
    await started.ready();
    return started;
  }

  /** Below the worker's own folder. */
  const inFolders = (of: WorkerProcess) => folders(join(of.folder, `place-${++made}`));

  async function inBucket(): Promise<Places> {
    const place = await bucket();
    places.push(place);
    return place;
  }

  const start = (of: WorkerProcess, place: Places, more: Record<string, unknown> = {}, workflowId = '') =>
    client.workflow.start('scan', {
      taskQueue: of.taskQueue,
      workflowId: workflowId || `${of.instance}-${++made}`,
      args: [{ source: place.source, destination: place.destination, profile: 'faulty', ...more }],
    });

  /** Executions of `rebuildFile` on this worker's queue, as Temporal lists them. */
  const childrenOf = (of: WorkerProcess) =>
    Array.fromAsync(
      client.workflow.list({ query: `TaskQueue="${of.taskQueue}" AND WorkflowType="rebuildFile"` }),
    );

  /** All pods of this worker that the API server has. */
  async function podsOf(of: WorkerProcess): Promise<V1Pod[]> {
    const labelSelector = `pristine.dev/instance=${of.instance}`;
    return (await cluster.listNamespacedPod({ namespace: NAMESPACE, labelSelector })).items;
  }

  const deletePod = (name: string) =>
    cluster.deleteNamespacedPod({ namespace: NAMESPACE, name, gracePeriodSeconds: 0 });

  /** Those processes that work for the same installation. */
  const team = (of: WorkerProcess) => workers.filter(({ instance }) => instance === of.instance);

  /**
   * Waits for the scan's end and holds the oracle to it. Then scans the same again, which must find everything
   * done: no pod, and the same number of files on the clean side.
   */
  async function expectSound(
    of: WorkerProcess,
    place: Places,
    scan: WorkflowHandle,
    pods: Readonly<Record<string, number>> = {},
  ): Promise<ScanSummary> {
    const summary: ScanSummary = await scan.result();
    const seen = { workers: team(of), pods };
    const first = { ...seen, ...(await place.see()), scan: scan.workflowId, summary };
    expectAccounted(first.source, first.destination, first.scan, summary);
    expectEngineRuns(first);
    const handle = await start(of, place);
    const again: ScanSummary = await handle.result();
    await expectWhole({ ...seen, ...(await place.see()), scan: handle.workflowId, summary: again });
    const { rebuilt, delivered, ...others } = summary.outcomes;
    expect(again.outcomes).toEqual({ ...others, rebuilt: 0, delivered: rebuilt + delivered });
    return summary;
  }

  return {
    client,
    connection,
    worker,
    inFolders,
    inBucket,
    start,
    team,
    childrenOf,
    podsOf,
    deletePod,
    expectSound,
    async close(): Promise<void> {
      await Promise.all(workers.map((one) => one.stop()));
      for (const place of places) await place.close();
      await connection.close();
      rmSync(folder, { recursive: true });
    },
  };
}
