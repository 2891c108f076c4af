import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { Logger as Pino } from 'pino';
import { EVENT } from '../drivers/events.ts';

export { createLogger, withoutSecrets } from './log-lines.ts';

type SdkLine = Parameters<NonNullable<ConstructorParameters<typeof DefaultLogger>[1]>>[0];

/** One line of the SDK's as one of ours. Of its fields only those that hold no input, path or token. */
export function logSdkLine(logger: Pino, { level, message, meta }: SdkLine): void {
  const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;
  const { error, workflowId, activityType, taskQueue } = { ...meta };
  const reason = error instanceof Error ? error.message : undefined;
  logger[levels[level]]({ event: EVENT.sdkLogged, workflowId, activityType, taskQueue, reason }, message);
}

/**
 * The Temporal SDK's own lines go through the same logger, from warnings up: a file that is not rebuilt is no
 * warning of ours. With `metricsAddress` (host:port, loopback) the SDK serves its own metrics there, for
 * startHttp to fetch. Before any connection, once a process.
 */
export function installRuntime(logger: Pino, metricsAddress?: string): void {
  Runtime.install({
    logger: new DefaultLogger('WARN', (line) => logSdkLine(logger, line)),
    ...(metricsAddress !== undefined && {
      telemetryOptions: {
        metrics: { prometheus: { bindAddress: metricsAddress, countersTotalSuffix: true, unitSuffix: true } },
      },
    }),
  });
}
