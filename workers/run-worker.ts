/** One worker process with the roles of its configuration. */
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import type { Dependencies } from '../activities/dependencies.ts';
import { EVENT, type Logger } from '../drivers/events.ts';
import { createFileServer } from '../fileserver/file-server.ts';
import { printConfig, type WorkerConfig } from './config.ts';
import { passedWithin, startHttp } from './http.ts';
import { createLogOutput } from './log-output.ts';
import { createLogger, installRuntime } from './logging.ts';
import { createMetrics, freeLoopbackAddress } from './metrics.ts';
import { noTemporal } from './no-temporal.ts';
import { createWorkers } from './roles.ts';
import { ensureSearchAttributes } from './search-attributes.ts';
import { createPodSweep, startSweeping, temporalOwner } from './sweep-pods.ts';
import { type TemporalOptions, temporalOptions } from './temporal-options.ts';
import { wire } from './wire.ts';

/** For Temporal to answer when readiness is asked for; what is wrong has to be found out in the time left. */
const TEMPORAL_MS = 3_000;
/** How long the API server counts as there: asking takes half a dozen requests of each worker. */
const KUBERNETES_MS = 60_000;

export type WorkerExtras = Pick<Dependencies, 'reached'> &
  Pick<Dependencies['settings'], 'historyLimit'> & {
    /** The workflows, bundled before. Default: they are bundled at the start, which takes seconds. */
    workflowBundle?: { codePath: string } | undefined;
    /** Bytes of log that may wait for stdout. */
    maxWaitingLog?: number | undefined;
  };

/** How long the last lines may take to be taken. */
const LAST_LINES_MS = 2_000;

/**
 * Runs until SIGTERM or SIGINT, then drains and resolves. Installs the SDK's runtime: once a process.
 * For test builds: `reached` is told of each crash point, and scans continue as new at `historyLimit` events.
 */
export async function runWorker(
  config: WorkerConfig,
  { reached, historyLimit, workflowBundle, maxWaitingLog }: WorkerExtras = {},
): Promise<void> {
  const metrics = createMetrics();
  const pino = createLogger(
    config.log,
    createLogOutput(process.stdout, {
      maxWaiting: maxWaitingLog,
      onLost: metrics.lineLost,
      onTaken: (lines) => logger.warn({ event: EVENT.logDropped, lines }, 'log lines were lost'),
    }),
  );
  const logger = metrics.counting(pino);
  const sdkMetrics = await freeLoopbackAddress();
  installRuntime(pino, sdkMetrics);
  logger.info({ event: EVENT.workerStarted, config: printConfig(config) }, 'starting');

  const options = await temporalOptions(config);
  const [native, connection] = await Promise.all([
    NativeConnection.connect(options),
    Connection.connect(options),
  ]).catch(async (cause: unknown) => {
    throw await noTemporal(options, cause);
  });
  const searchAttributes = await ensureSearchAttributes(connection, config, logger);
  const wired = wire(config, connection, logger, searchAttributes);
  const files = await listenForFiles(config, logger);
  const settings = { ...wired.deps.settings, historyLimit };
  const deps = { ...wired.deps, reached, settings };
  const workers = await createWorkers(config, native, deps, logger, workflowBundle);
  const sweeping = sweepPods(config, wired.deps, logger);

  const http = await startHttp({
    listen: config.http,
    live: () => workers.alive(),
    ready: {
      temporal: () => answers(connection, options),
      workers: async () => {
        if (!workers.polling()) throw new Error('not all workers poll yet');
      },
      index: () => wired.deps.index.check(),
      ...(config.roles.includes('pods')
        ? { kubernetes: passedWithin(KUBERNETES_MS, () => wired.deps.pods.check()) }
        : {}),
    },
    registry: metrics.registry,
    sdkMetrics,
  });

  const stop = (signal: NodeJS.Signals) => {
    logger.info(
      { event: EVENT.workerDraining, signal },
      'draining: what is begun is finished or handed back',
    );
    workers.shutdown();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);

  try {
    await workers.run();
  } finally {
    // Pods may still be reading and writing: their links outlive our polling, not our process.
    files?.close();
    await Promise.race([files?.drained, sleep(config.shutdownGraceMs, undefined, { ref: false })]);
    await http.close();
    await sweeping?.stop();
    await wired.close();
    await connection.close();
    await native.close();
    logger.info({ event: EVENT.workerStopped }, 'stopped');
    // Lines that nobody takes would keep the process alive.
    setTimeout(() => process.exit(), LAST_LINES_MS).unref();
  }
}

/** A call of its own: a connection that stood once counts as standing for good. */
async function answers(connection: Connection, options: TemporalOptions): Promise<void> {
  try {
    await connection.withDeadline(Date.now() + TEMPORAL_MS, () =>
      connection.workflowService.getSystemInfo({}),
    );
  } catch (error) {
    throw await noTemporal(options, error);
  }
}

function sweepPods(config: WorkerConfig, { pods, client }: Dependencies, logger: Logger) {
  if (config.sweepMs === 0 || !config.roles.includes('pods')) return undefined;
  const sweep = createPodSweep({ pods, ownerOf: temporalOwner(client), logger, now: Date.now });
  return startSweeping(sweep, { intervalMs: config.sweepMs, logger });
}

async function listenForFiles(config: WorkerConfig, logger: Logger) {
  const { listen, linkKeys } = config.fileServer;
  if (listen === undefined || linkKeys === undefined || !config.roles.includes('files')) return undefined;
  const server = createFileServer({
    roots: config.files.roots,
    keys: linkKeys,
    maxUploadBytes: config.files.maxUploadBytes,
    singleWriter: config.singleWriter,
    logger,
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen.port, listen.host, resolve);
  });
  const { address, port } = server.address() as AddressInfo;
  logger.info({ event: EVENT.serverStarted, address, port }, 'file server listens');
  let closed = () => {};
  const drained = new Promise<void>((resolve) => {
    closed = resolve;
  });
  return { close: () => server.close(() => closed()), drained };
}
