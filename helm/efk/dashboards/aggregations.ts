/** The aggregations that panels are made of, as Kibana keeps them. */
import type { Field } from './saved-object.ts';

export type Aggregation = {
  id: string;
  enabled: true;
  type: string;
  schema: 'metric' | 'segment' | 'group' | 'bucket';
  params: Record<string, unknown>;
};

const one = (
  id: number,
  type: string,
  schema: Aggregation['schema'],
  params: Record<string, unknown>,
): Aggregation => ({ id: String(id), enabled: true, type, schema, params });

export const count = (id: number, customLabel: string) => one(id, 'count', 'metric', { customLabel });
export const most = (id: number, field: Field, customLabel: string) =>
  one(id, 'max', 'metric', { field, customLabel });
export const sum = (id: number, field: Field, customLabel: string) =>
  one(id, 'sum', 'metric', { field, customLabel });

/** How many so far, at each point of time. */
export const countSoFar = (id: number, customLabel: string) =>
  one(id, 'cumulative_sum', 'metric', {
    customLabel,
    metricAgg: 'custom',
    customMetric: { id: `${id}-metric`, enabled: true, type: 'count', schema: 'metricAgg', params: {} },
  });

/** With `gaps`, times without a line have a bucket too: what counts up goes on through them. */
export const overTime = (id: number, { gaps = false } = {}) =>
  one(id, 'date_histogram', 'segment', {
    field: '@timestamp',
    interval: 'auto',
    useNormalizedEsInterval: true,
    drop_partials: false,
    min_doc_count: gaps ? 0 : 1,
    extended_bounds: {},
  });

/** The largest groups by the metric `by`. */
export const each = (
  id: number,
  field: Field,
  schema: Aggregation['schema'],
  { by, size = 10 }: { by: number; size?: number },
) =>
  one(id, 'terms', schema, {
    field,
    orderBy: String(by),
    order: 'desc',
    size,
    otherBucket: false,
    missingBucket: false,
  });

export const queries = (id: number, named: Record<string, string>) =>
  one(id, 'filters', 'group', {
    filters: Object.entries(named).map(([label, query]) => ({ label, input: { query, language: 'lucene' } })),
  });
