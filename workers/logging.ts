import { DefaultLogger, Runtime } from '@temporalio/worker';
import { type Logger as Pino, pino } from 'pino';
import { EVENT } from '../drivers/events.ts';

/**
 * Signed links and passwords in URLs, wherever in a line they turn up: what they open is worth more than the
 * line. A backslash ends one: the line is JSON by then, and its escapes stay whole.
 */
const SECRETS: readonly [RegExp, string][] = [
  [/(\/f\/)[^\s"'\\&]+/g, '$1redacted'],
  [/([?&]X-Amz-(?:Signature|Credential|Security-Token)=)[^\s"'\\&]+/gi, '$1redacted'],
  [/([a-z][a-z0-9+.-]*:\/\/)[^\s"'\\/?#@]*:[^\s"'\\/?#]*@/gi, '$1redacted@'],
];

export function withoutSecrets(text: string): string {
  return SECRETS.reduce((left, [secret, instead]) => left.replaceAll(secret, instead), text);
}

/** JSON lines on stdout with ISO times and level names; `event` is one of drivers/events.ts. */
export function createLogger(
  { level }: { level: string },
  destination?: { write(line: string): void },
): Pino {
  const out = destination ?? process.stdout;
  const secret = ['password', 'secret', 'apiKey', 'authorization'];
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: [...secret, ...secret.map((name) => `*.${name}`)], censor: 'redacted' },
    },
    { write: (line: string) => void out.write(withoutSecrets(line)) },
  );
}

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
