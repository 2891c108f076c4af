import { Counter, collectDefaultMetrics, Registry } from 'prom-client';
import { EVENT, type Logger } from '../drivers/events.ts';

export type Metrics = { registry: Registry; counting: (logger: Logger) => Logger };

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
  const known = new Set<unknown>(Object.values(EVENT));
  const count = (fields: object) => {
    const { event, kind, class: failure } = fields as Record<string, unknown>;
    if (!known.has(event)) return;
    events.inc({ event: String(event), kind: String(kind ?? ''), class: String(failure ?? '') });
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
  return { registry, counting };
}
