import { DefaultLogger, Runtime } from '@temporalio/worker';
import { pino } from 'pino';
import type { WorkerConfig } from './config.ts';
export const createLogger = (l: { level: string }) => pino({ level: l.level });
export const installRuntime = (_logger: unknown, _c: WorkerConfig) =>
  Runtime.install({ logger: new DefaultLogger('WARN') });
