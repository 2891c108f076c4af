/** `node workers/main.ts`: one worker process with the roles of its configuration. Ends on SIGTERM or SIGINT, drained. */
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { EVENT, type Logger } from '../drivers/events.ts';
import { createFileServer } from '../fileserver/file-server.ts';
import { ConfigError, printConfig, readConfig, type WorkerConfig } from './config.ts';
import { startHttp } from './http.ts';
import { createLogger, installRuntime } from './logging.ts';
import { createMetrics, freeLoopbackAddress } from './metrics.ts';
import { createWorkers } from './roles.ts';
import { ensureSearchAttributes } from './search-attributes.ts';
import { temporalOptions } from './temporal-options.ts';
import { wire } from './wire.ts';

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const metrics = createMetrics();
  const pino = createLogger(config.log);
  const logger = metrics.counting(pino);
  const sdkMetrics = await freeLoopbackAddress();
  installRuntime(pino, sdkMetrics);
  logger.info({ event: EVENT.workerStarted, config: printConfig(config) }, 'starting');

  const options = await temporalOptions(config);
  const [native, connection] = await Promise.all([
    NativeConnection.connect(options),
    Connection.connect(options),
  ]);
  const searchAttributes = await ensureSearchAttributes(connection, config, logger);
  const wired = wire(config, connection, logger, searchAttributes);
  const files = await listenForFiles(config, logger);
  const workers = await createWorkers(config, native, wired.deps, logger);

  const http = await startHttp({
    listen: config.http,
    live: () => workers.alive(),
    ready: {
      temporal: () => connection.ensureConnected(),
      workers: async () => {
        if (!workers.polling()) throw new Error('not all workers poll yet');
      },
      index: () => wired.deps.index.check(),
      ...(config.roles.includes('pods') ? { kubernetes: () => wired.deps.pods.check() } : {}),
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
    await wired.close();
    await connection.close();
    await native.close();
    logger.info({ event: EVENT.workerStopped }, 'stopped');
  }
}

async function listenForFiles(config: WorkerConfig, logger: Logger) {
  const { listen, linkKeys } = config.fileServer;
  if (listen === undefined || linkKeys === undefined || !config.roles.includes('files')) return undefined;
  const server = createFileServer({
    roots: config.files.roots,
    keys: linkKeys,
    maxUploadBytes: config.files.maxUploadBytes,
    logger,
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen.port, listen.host, resolve);
  });
  const { address, port } = server.address() as AddressInfo;
  logger.info({ address, port }, 'file server listens');
  let closed = () => {};
  const drained = new Promise<void>((resolve) => {
    closed = resolve;
  });
  return { close: () => server.close(() => closed()), drained };
}

try {
  await main();
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
