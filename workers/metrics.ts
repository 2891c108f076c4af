import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { EVENT, type EventName, type LogFields, type Logger } from '../drivers/events.ts';
import type { FailureClass, PodOutcome } from '../drivers/ports.ts';
import { OUTCOMES } from '../workflows/contract.ts';

export type Metrics = {
  registry: Registry;
  counting: (logger: Logger) => Logger;
  /** Counts a log line that nobody took. */
  lineLost: () => void;
};

/** How a pod can end, and why it fails: complete, or this does not compile. */
const KINDS = Object.keys({
  uploaded: true,
  refused: true,
  changed: true,
  'source-gone': true,
  gone: true,
} satisfies Record<Exclude<PodOutcome['kind'], 'failed'>, true>);
const CLASSES = Object.keys({
  disruption: true,
  capacity: true,
  configuration: true,
  resource: true,
  crash: true,
  transfer: true,
} satisfies Record<FailureClass, true>);

/** All series that an event has. */
function seriesOf(event: EventName): { event: string; kind: string; class: string }[] {
  if (event === EVENT.podRefused)
    return ['capacity', 'configuration'].map((one) => ({ event, kind: '', class: one }));
  if (event !== EVENT.podEnded) return [{ event, kind: '', class: '' }];
  return [
    ...KINDS.map((kind) => ({ event, kind, class: '' })),
    ...CLASSES.map((one) => ({ event, kind: 'failed', class: one })),
  ];
}

/** Process figures and a counter of our events, which is what the dashboards go by. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const events = new Counter({
    name: 'pristine_events_total',
    help: 'Events of the vocabulary in drivers/events.ts; `kind` and `class` tell how a pod ended or was refused',
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
  const index = new Gauge({
    name: 'pristine_index_connected',
    help: '1 while the connection to Redis or etcd stands',
    registers: [registry],
  });
  const known = new Set<unknown>(Object.values(EVENT));
  // All are there from the start: of a series that appears with its first event Prometheus sees no increase.
  for (const event of Object.values(EVENT)) for (const series of seriesOf(event)) events.inc(series, 0);
  for (const outcome of OUTCOMES) files.inc({ outcome }, 0);
  const count = ({ event, kind, class: failure, outcome }: LogFields) => {
    if (!known.has(event)) return;
    const settled = event === EVENT.fileSettled && OUTCOMES.find((one) => one === outcome);
    if (settled) files.inc({ outcome: settled });
    if (event === EVENT.indexConnected) index.set(1);
    if (event === EVENT.indexDisconnected) index.set(0);
    // Only a pod has a fixed set of these: a label of any other text would be a series for each.
    const ended = event === EVENT.podEnded;
    events.inc({
      event: String(event),
      kind: ended ? String(kind ?? '') : '',
      class: ended || event === EVENT.podRefused ? String(failure ?? '') : '',
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
