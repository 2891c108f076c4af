import { DefaultLogger, Runtime } from '@temporalio/worker';
import { type Logger as Pino, pino } from 'pino';

/** Signed links, wherever they turn up: what they open is worth more than the log line. */
const SIGNED_LINK = /(\/f\/|[?&]X-Amz-(?:Signature|Credential|Security-Token)=)[^\s"'&]+/g;

export function withoutSignedLinks(text: string): string {
  return text.replaceAll(SIGNED_LINK, '$1redacted');
}

/** JSON lines on stdout with ISO times and level names; `event` is one of drivers/events.ts. */
export function createLogger(
  { level }: { level: string },
  destination?: { write(line: string): void },
): Pino {
  const out = destination ?? process.stdout;
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: ['*.password', '*.secret', '*.apiKey'], censor: 'redacted' },
    },
    { write: (line: string) => void out.write(withoutSignedLinks(line)) },
  );
}

/** The Temporal SDK's own lines go through the same logger. A file that is not rebuilt is no warning of ours. */
export function installRuntime(logger: Pino): void {
  const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;
  Runtime.install({
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      const { error, workflowId, activityType, taskQueue } = { ...meta };
      const err = error instanceof Error ? error.message : undefined;
      logger[levels[level]]({ workflowId, activityType, taskQueue, err }, message);
    }),
  });
}
