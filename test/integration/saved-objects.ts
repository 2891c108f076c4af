/** The shipped saved objects, read back: what each asks for, as a request to a search server. */
import { z } from 'zod';

const json = z.string().transform((text): unknown => JSON.parse(text));
const query = z.object({ query: z.string(), language: z.literal('lucene') });
const sourceSchema = z.looseObject({ query, indexRefName: z.string() });
const aggregation = z.object({
  id: z.string(),
  enabled: z.literal(true),
  type: z.enum(['count', 'max', 'sum', 'cumulative_sum', 'date_histogram', 'terms', 'filters']),
  schema: z.enum(['metric', 'segment', 'group', 'bucket']),
  params: z.looseObject({
    field: z.string().optional(),
    size: z.number().optional(),
    min_doc_count: z.number().optional(),
    orderBy: z.string().optional(),
    filters: z.array(z.object({ label: z.string(), input: query })).optional(),
  }),
});
type Aggregation = z.infer<typeof aggregation>;

const objectSchema = z.object({
  type: z.enum(['index-pattern', 'search', 'visualization', 'dashboard']),
  id: z.string(),
  attributes: z.looseObject({
    title: z.string(),
    columns: z.array(z.string()).optional(),
    sort: z.array(z.tuple([z.string(), z.enum(['asc', 'desc'])])).optional(),
    visState: json.pipe(z.looseObject({ aggs: z.array(aggregation) })).optional(),
    kibanaSavedObjectMeta: z.object({ searchSourceJSON: json }).optional(),
  }),
  references: z.array(z.object({ name: z.string(), type: z.string(), id: z.string() })),
});

export type SavedView = ReturnType<typeof readSavedObjects>[number];

export function readSavedObjects(ndjson: string) {
  const lines = ndjson.split('\n').filter((line) => line !== '');
  const objects = lines.map((line) => objectSchema.parse(JSON.parse(line)));
  return objects.map(({ type, id, references, attributes }) => {
    const isView = type === 'search' || type === 'visualization';
    const source = isView
      ? sourceSchema.parse(attributes.kibanaSavedObjectMeta?.searchSourceJSON)
      : undefined;
    const view = references.find(({ name }) => name === source?.indexRefName)?.id;
    const aggs = attributes.visState?.aggs ?? [];
    return {
      type,
      id,
      references,
      /** Of an index pattern, the indices. */
      indices: attributes.title,
      source: source && { query: source.query.query, view: String(view) },
      sort: attributes.sort ?? [],
      aggs,
      fields: [
        ...(attributes.columns ?? []),
        ...(attributes.sort ?? []).map(([field]) => field),
        ...aggs.flatMap(({ params }) => params.field ?? []),
      ],
    };
  });
}

/** As Kibana asks it: the query as the server's own query string, buckets nested in their order, metrics innermost. */
export function searchRequest({ source, sort, aggs }: SavedView, also: object[] = []) {
  const must = { query_string: { query: source?.query ?? '*', analyze_wildcard: true } };
  return {
    size: aggs.length === 0 ? 500 : 0,
    track_total_hits: true,
    query: { bool: { filter: [must, ...also] } },
    ...(sort.length > 0 && { sort: sort.map(([field, order]) => ({ [field]: { order } })) }),
    ...(aggs.length > 0 && { aggs: nested(aggs) }),
  };
}

const isMetric = ({ schema }: Aggregation) => schema === 'metric';

function nested(aggs: readonly Aggregation[]): Record<string, object> {
  let within = Object.fromEntries(aggs.filter(isMetric).flatMap(metricRequests));
  for (const agg of aggs.filter((one) => !isMetric(one)).reverse()) {
    // A bucket is ordered by a metric, so it has that metric itself too.
    const by = aggs.filter(({ id }) => id === agg.params.orderBy).flatMap(metricRequests);
    within = {
      [agg.id]: { ...bucketRequest(agg, aggs), aggs: { ...within, ...Object.fromEntries(by) } },
    };
  }
  return within;
}

function metricRequests({ id, type, params }: Aggregation): [string, object][] {
  // Buckets have their counts without being asked.
  if (type === 'count') return [];
  if (type === 'cumulative_sum') return [[id, { cumulative_sum: { buckets_path: '_count' } }]];
  return [[id, { [type]: { field: params.field } }]];
}

function bucketRequest({ type, params }: Aggregation, aggs: readonly Aggregation[]): Record<string, object> {
  if (type === 'date_histogram') {
    const { field, min_doc_count } = params;
    return { date_histogram: { field, fixed_interval: '1s', min_doc_count } };
  }
  if (type === 'filters') {
    const named = (params.filters ?? []).map(({ label, input }) => [
      label,
      { query_string: { query: input.query, analyze_wildcard: true } },
    ]);
    return { filters: { filters: Object.fromEntries(named) } };
  }
  const counted = aggs.some(({ id, type: of }) => id === params.orderBy && of === 'count');
  const by = counted ? '_count' : String(params.orderBy);
  return { terms: { field: params.field, size: params.size, order: { [by]: 'desc' } } };
}
