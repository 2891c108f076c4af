import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Counter, collectDefaultMetrics, Registry } from 'prom-client';
import { EVENT, type LogFields, type Logger } from '../drivers/events.ts';
import { OUTCOMES } from '../workflows/contract.ts';

export type Metrics = {
  registry: Registry;
  counting: (logger: Logger) => Logger;
  /** Counts a log line that nobody took. */
  lineLost: () => void;
};

/** Process figures and a counter of our events, which is what the dashboards go by. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const events = new Counter({
    name: 'pristine_events_total',
    help: 'Events of the vocabulary in drivers/events.ts; `kind` and `class` tell how a pod ended',
    labelNames: ['event', 'kind', 'class'],
    registers: [registry],
  });
  const files = new Counter({
    name: 'pristine_files_total',
    help: 'Files by what became of them',
    labelNames: ['outcome'],
    registers: [registry],
  });
  const lost = new Counter({
    name: 'pristine_log_lines_dropped_total',
    help: 'Log lines that were lost because stdout did not take them: its pipe full or broken, its disk full',
    registers: [registry],
  });
  const known = new Set<unknown>(Object.values(EVENT));
  const count = ({ event, kind, class: failure, outcome }: LogFields) => {
    if (!known.has(event)) return;
    const settled = event === EVENT.fileSettled && OUTCOMES.find((one) => one === outcome);
    if (settled) files.inc({ outcome: settled });
    // Only a pod's end has a fixed set of these: a label of any other text would be a series for each.
    const ended = event === EVENT.podEnded;
    events.inc({
      event: String(event),
      kind: ended ? String(kind ?? '') : '',
      class: ended ? String(failure ?? '') : '',
    });
  };
  const counting = (logger: Logger): Logger => ({
    debug: (fields, message) => {
      count(fields);
      logger.debug(fields, message);
    },
    info: (fields, message) => {
      count(fields);
      logger.info(fields, message);
    },
    warn: (fields, message) => {
      count(fields);
      logger.warn(fields, message);
    },
    error: (fields, message) => {
      count(fields);
      logger.error(fields, message);
    },
  });
  return { registry, counting, lineLost: () => lost.inc() };
}

/** host:port on loopback that is free now: for the SDK's exporter, which can't say which port it was given. */
export async function freeLoopbackAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `127.0.0.1:${port}`;
}
