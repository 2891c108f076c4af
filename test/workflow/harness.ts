/** Runs scans on queues of their own, against a given Temporal and in-memory activities. */
import { createRequire } from 'node:module';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { Progress, ScanSummary } from '../../workflows/contract.ts';
import { QUERY, taskQueues } from '../../workflows/contract.ts';
import { stackVariable } from '../contract/stack.ts';
import type { InMemory, InMemoryFile, InMemoryOptions } from './in-memory.ts';
import { inMemory } from './in-memory.ts';

const require = createRequire(import.meta.url);

export const good = { source: 'file:///in', destination: 'file:///out' };
export const committed = { kind: 'committed', verdict: 'rebuilt', receipt: 'r', reused: false } as const;

export type Options = Omit<InMemoryOptions, 'client' | 'fingerprint'>;
export type Run = {
  memory: InMemory;
  scanId: string;
  fingerprint: string;
  handle: Awaited<ReturnType<Harness['start']>>;
};
export type Harness = ReturnType<typeof createHarness>;

export function quietRuntime(): void {
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { filter: 'OFF', forward: {} } },
  });
}

export function bundleWorkflows(): Promise<WorkflowBundleWithSourceMap> {
  return bundleWorkflowCode({
    workflowsPath: require.resolve('../../workflows/index.ts'),
    logger: new DefaultLogger('ERROR'),
  });
}

/**
 * On the stack's Temporal. Not the time-skipping server: it can lose a workflow task when a timer is cancelled as it
 * fires (github.com/temporalio/sdk-java/issues/3088), and does not tell a parent that its child was terminated.
 */
export async function openHarness() {
  quietRuntime();
  const address = stackVariable('TEMPORAL_ADDRESS');
  const env = await TestWorkflowEnvironment.createFromExistingServer({ address });
  return { env, harness: createHarness(env, await bundleWorkflows()) };
}

export function createHarness(env: TestWorkflowEnvironment, workflowBundle: WorkflowBundleWithSourceMap) {
  // Workflow IDs of children hold the fingerprint: another for each scan, also of an earlier test run.
  let scans = Math.floor(Math.random() * 0xffff) * 0x1000;

  const start = (input: unknown, workflowId: string, taskQueue: string) =>
    env.client.workflow.start('scan', { taskQueue, workflowId, args: [input] });

  /** Another workflow on a scan's queues. */
  const startOther = (type: string, input: unknown, { scanId, fingerprint }: Run) =>
    env.client.workflow.start(type, {
      taskQueue: `queue-${fingerprint}`,
      workflowId: `${type}-${scanId}`,
      args: [input],
    });

  /** Runs one scan, and the checks beside it. */
  async function withScan<T>(
    options: Options,
    input: Record<string, unknown>,
    check: (run: Run) => Promise<T>,
  ): Promise<T> {
    const fingerprint = (++scans).toString(16).padStart(8, '0');
    const base = `queue-${fingerprint}`;
    const memory = inMemory({ ...options, fingerprint, client: () => env.client });
    const workers = await Promise.all(
      Object.values(taskQueues(base)).map((taskQueue) =>
        Worker.create({
          connection: env.nativeConnection,
          taskQueue,
          workflowBundle,
          activities: memory.activities,
          // A test that fails while its gate is shut leaves activities that nobody ends.
          shutdownForceTime: '10 seconds',
        }),
      ),
    );
    const scanId = `scan-${fingerprint}`;
    const run = workers.reduce<() => Promise<T>>(
      (inner, worker) => () => worker.runUntil(inner),
      async () => {
        const handle = await start({ ...good, ...input }, scanId, base);
        return check({ memory, scanId, handle, fingerprint });
      },
    );
    return run();
  }

  const finished = (options: Options, input: Record<string, unknown> = {}) =>
    withScan(options, input, async ({ handle, memory }) => ({
      summary: (await handle.result()) as ScanSummary,
      memory,
    }));

  return { start, startOther, withScan, finished };
}

export const files = (count: number, contents = count): InMemoryFile[] =>
  Array.from({ length: count }, (_, n) => ({
    path: `file-${String(n).padStart(5, '0')}`,
    sha256: String(n % contents).padStart(64, '0'),
  }));

export const progressOf = (run: Run): Promise<Progress> =>
  run.handle.query<Progress>(QUERY.progress).catch(() => ({ listed: 0 }) as Progress);

/** A gate that every attempt waits at. */
export function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
