/**
 * The log pipeline on real parts as far as they can be had: lines of a real scan, made into documents by the rules of
 * the shipped Fluent Bit configuration, in a real OpenSearch with the shipped templates; each saved search and each
 * panel is run there and finds what the scan did.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { provision } from '../../helm/efk/files/provision.mjs';
import { type Document, documentOf, type Sent } from './fluent-bit-rules.ts';
import { HOSTILE, type LoggedScan, runLoggedScan } from './logged-scan.ts';
import { type OwnOpenSearch, startOpenSearch } from './own-opensearch.ts';
import { readSavedObjects, searchRequest } from './saved-objects.ts';
import { startWorker } from './worker-process.ts';

const files = join(import.meta.dirname, '../../helm/efk/files');
const objects = readSavedObjects(readFileSync(join(files, 'saved-objects.ndjson'), 'utf8'));
const mappings = JSON.parse(readFileSync(join(files, 'mappings.json'), 'utf8')).template.mappings;

let search: OwnOpenSearch;
let scan: LoggedScan;
let sent: Sent[];
const said: string[] = [];

const containerId = 'c0'.repeat(32);
const workerFile = `/var/log/containers/pristine-worker-0_pristine_worker-${containerId}.log`;
const podFile = (pod: unknown, container: unknown) =>
  `/var/log/containers/${pod}_pristine-files_${container}-${containerId}.log`;

/** As a container runtime writes them: each line with a time of its own. */
function sentOf(lines: readonly string[]): Sent[] {
  return lines.flatMap((line, at): Sent[] => {
    const { time, event, pod, container, text } = JSON.parse(line);
    const stamp = (n: number) => `${String(time).slice(0, -1)}${String(n % 1_000_000).padStart(6, '0')}Z`;
    const own = documentOf(workerFile, `${stamp(at)} stdout F ${line}`, 'worker');
    if (event !== 'container.logged') return [own];
    // What the node's Fluent Bit read from the pod itself.
    const raw = String(text)
      .split('\n')
      .map((one, n) =>
        documentOf(podFile(pod, container), `${stamp(500_000 + n)} stdout F ${one}`, 'engine'),
      );
    return [...raw, own];
  });
}

async function put(index: string, documents: readonly Document[]): Promise<void> {
  const bulk = documents.map((document) => `{"create":{}}\n${JSON.stringify(document)}\n`).join('');
  const { errors, items } = z
    .object({ errors: z.boolean(), items: z.array(z.unknown()) })
    .parse(await search.ask('POST', `/${index}/_bulk?refresh=true`, bulk));
  expect([errors, errors ? items : []]).toEqual([false, []]);
}

const documentsOf = (stream: Sent['stream']) =>
  sent.filter((one) => one.stream === stream).map(({ document }) => document);
const events = (event: string) => documentsOf('events').filter((document) => document.event === event);

beforeAll(async () => {
  search = await startOpenSearch();
  const worker = await startWorker();
  try {
    await worker.ready();
    scan = await runLoggedScan(worker);
  } finally {
    await worker.stop();
  }
  const dropped = { level: 'warn', time: '2030-01-01T00:00:00.000Z', event: 'log.dropped', lines: 3 };
  sent = sentOf([...scan.lines, JSON.stringify({ ...dropped, msg: 'log lines were lost' })]);
  for (let time = 0; time < 2; time++) {
    await provision(
      {
        SEARCH_URL: search.url,
        SEARCH_KIND: 'opensearch',
        EVENTS_STREAM: 'pristine-logs-default',
        ENGINE_STREAM: 'pristine-engine-default',
        EVENTS_DAYS: '30',
        ENGINE_DAYS: '7',
      },
      { log: (line) => said.push(line), tries: 3 },
    );
    if (time === 0) {
      await put('pristine-logs-default', documentsOf('events'));
      await put('pristine-engine-default', documentsOf('engine'));
    }
  }
}, 600_000);
afterAll(async () => {
  await search?.close();
}, 60_000);

const hitsSchema = z.object({
  hits: z.object({
    total: z.object({ value: z.number() }),
    hits: z.array(z.object({ _source: z.record(z.string(), z.unknown()) })),
  }),
  aggregations: z.record(z.string(), z.unknown()).optional(),
});

/** Runs a saved search or a panel, on the indices of its view. */
async function run(id: string, also: object[] = []) {
  const view = objects.find((one) => one.id === id && one.source !== undefined);
  if (view === undefined) throw new Error(`there is no ${id}`);
  const of = objects.find((one) => one.type === 'index-pattern' && one.id === view.source?.view);
  const answer = hitsSchema.parse(
    await search.ask('POST', `/${of?.indices}/_search`, searchRequest(view, also)),
  );
  return {
    total: answer.hits.total.value,
    found: answer.hits.hits.map(({ _source }) => _source),
    of: (agg: string) => bucketsSchema.parse(answer.aggregations?.[agg]).buckets,
    value: (agg: string) => valueSchema.parse(answer.aggregations?.[agg]).value,
  };
}
const valueSchema = z.object({ value: z.number() });
const bucketSchema = z.looseObject({ key: z.unknown().optional(), doc_count: z.number() });
const bucketsSchema = z.object({
  buckets: z.union([z.array(bucketSchema), z.record(z.string(), bucketSchema)]),
});
type Buckets = z.infer<typeof bucketsSchema>['buckets'];

const countsOf = (buckets: Buckets) =>
  Object.fromEntries(Object.values(buckets).map(({ key, doc_count }) => [String(key), doc_count]));
const within = (bucket: unknown, agg: string): Buckets =>
  bucketsSchema.parse(z.looseObject({}).parse(bucket)[agg]).buckets;

/** The scan's own account. */
const outcomes = () =>
  Object.fromEntries(Object.entries(scan.summary.outcomes).filter(([, count]) => count > 0));

test('the scan had what dashboards show', () => {
  // Of the two with the same content, one may find it done.
  const { rebuilt = 0, delivered = 0, ...others } = outcomes();
  expect([rebuilt + delivered, others]).toEqual([3, { refused: 2, quarantined: 1, filtered: 1 }]);
  expect(said.join('\n')).toContain('search: opensearch 3.');
  expect(said.at(-3)).toBe('templates: put, 2 streams brought up to them');
});

test('every field of every line is mapped: a strict mapping takes them all', async () => {
  await search.ask('PUT', '/strict', { mappings: { ...mappings, dynamic: 'strict' } });
  await put('strict', [...documentsOf('events'), ...documentsOf('engine')]);
  await expect(put('strict', [{ '@timestamp': '2030-01-01T00:00:00Z', unheard: 1 }])).rejects.toThrow();
});

test('what nobody mapped is kept with its line, and is no new field', async () => {
  const odd = {
    '@timestamp': '2001-01-01T00:00:00Z',
    event: 'odd',
    [`f${'x'.repeat(40)}`]: { a: 1 },
    attempt: 'no',
  };
  await put('pristine-logs-other', [
    odd,
    { ...odd, '@timestamp': '2001-01-01T00:00:01Z', sha256: 'x'.repeat(9_999) },
  ]);
  const mapping = JSON.stringify(await search.ask('GET', '/pristine-logs-other/_mapping'));
  expect(mapping).not.toContain('xxxx');
  await search.ask('DELETE', '/_data_stream/pristine-logs-other');
});

describe('searches', () => {
  test('finished scans: one, with the counts of its summary', async () => {
    const { found } = await run('pristine-scans');
    expect(found).toMatchObject([{ scan: scan.scan, listed: scan.summary.listed, ...scan.summary.outcomes }]);
  });

  test('files that were not rebuilt, with the reason', async () => {
    const { found } = await run('pristine-not-rebuilt');
    expect(found.map(({ outcome }) => outcome).sort()).toEqual(['quarantined', 'refused', 'refused']);
    expect(found.map(({ sha256 }) => sha256)).toContain(scan.sha256Of('b/refused'));
    expect(found.map(({ reason }) => reason)).toContain('not-a-document');
  });

  test('attempts that failed: both of the one that was tried twice', async () => {
    const { found } = await run('pristine-failed-pods');
    const crash = { class: 'crash', sha256: scan.sha256Of('c/crash') };
    expect(found).toEqual([expect.objectContaining(crash), expect.objectContaining(crash)]);
  });

  test('warnings: all of the log, no other', async () => {
    const { total } = await run('pristine-warnings');
    expect(total).toBe(
      documentsOf('events').filter(({ level }) => level === 'warn' || level === 'error').length,
    );
    expect(total).toBeGreaterThan(0);
  });

  test('what ran in pods said: as text, from the node and as the worker kept it', async () => {
    const { found, total } = await run('pristine-container-logs');
    expect(total).toBe(documentsOf('engine').length);
    const loud = found.filter(({ text }) => String(text).includes(HOSTILE));
    expect(loud.map(({ event }) => event).sort()).toEqual(['container.logged', undefined]);
    for (const { outcome } of found) expect(outcome).toBeUndefined();
    const words = { query: { match_phrase: { text: 'outcome rebuilt sha256 00' } } };
    const { hits } = hitsSchema.parse(await search.ask('POST', '/pristine-engine-*/_search', words));
    expect(hits.total.value).toBe(loud.length);
  });

  test('one file\u2019s whole story, in order', async () => {
    const story = async (name: Parameters<LoggedScan['sha256Of']>[0]) => {
      const sha256 = scan.sha256Of(name);
      const { found } = await run('pristine-one-file', [{ term: { sha256 } }]);
      for (const line of found) expect(line.sha256).toBe(sha256);
      return found.map(({ event, outcome }) => (event === 'file.settled' ? `${event} ${outcome}` : event));
    };
    const once = (list: unknown[]) => list.filter((one, at) => one !== list[at - 1]);
    expect(once(await story('a/slow'))).toEqual([
      'pod.created',
      'pod.ended',
      ...(await kept('a/slow')),
      'result.committed',
      'content.recorded',
      'file.settled rebuilt',
    ]);
    expect(once(await story('c/crash'))).toEqual([
      ...['pod.created', 'pod.ended', ...(await kept('c/crash'))],
      ...['pod.created', 'pod.ended', ...(await kept('c/crash'))],
      'content.recorded',
      'file.settled quarantined',
    ]);
    expect((await story('a/one')).filter((event) => String(event).startsWith('file.settled'))).toHaveLength(
      2,
    );
  });

  /** A quiet container has no log to keep. */
  async function kept(name: Parameters<LoggedScan['sha256Of']>[0]): Promise<string[]> {
    const sha256 = scan.sha256Of(name);
    const logged = documentsOf('engine').some((one) => one.sha256 === sha256);
    return logged ? ['container.logged'] : [];
  }
});

describe('panels', () => {
  test('outcomes: those of the summary', async () => {
    expect(countsOf((await run('pristine-outcomes')).of('2'))).toEqual(outcomes());
  });

  test('outcomes over time: the same, over time', async () => {
    const sums: Record<string, number> = {};
    for (const bucket of Object.values((await run('pristine-outcomes-over-time')).of('2')))
      for (const [outcome, count] of Object.entries(countsOf(within(bucket, '3'))))
        sums[outcome] = (sums[outcome] ?? 0) + count;
    expect(sums).toEqual(outcomes());
  });

  test('files in progress: the lines part while pods run and meet at the end', async () => {
    const lines = z.record(z.string(), bucketSchema).parse((await run('pristine-in-progress')).of('2'));
    const soFar = (name: string) =>
      Object.values(within(lines[name], '3')).map((bucket) => valueSchema.parse(bucket['1']).value);
    expect([soFar('begun').at(-1), soFar('ended').at(-1)]).toEqual([
      events('pod.created').length,
      events('pod.ended').length,
    ]);
    expect(soFar('begun').at(-1)).toBe(6);
    expect(soFar('begun')).toEqual(soFar('begun').toSorted((a, b) => a - b));
  });

  test('failures by class and reason', async () => {
    const [crash, ...others] = Object.values((await run('pristine-failures')).of('2'));
    expect([crash?.key, crash?.doc_count, others]).toEqual(['crash', 2, []]);
    const reasons = Object.values(within(crash, '3')).map(({ key }) => String(key));
    expect(reasons).toEqual([expect.stringContaining('9')]);
  });

  test('slowest files: the slow one first, with the engine\u2019s seconds', async () => {
    const slowest = Object.values((await run('pristine-slowest')).of('3'));
    expect(slowest[0]?.key).toBe(scan.sha256Of('a/slow'));
    expect(valueSchema.parse(slowest[0]?.['2']).value).toBeGreaterThanOrEqual(3);
    expect(slowest).toHaveLength(5);
  });

  test('warnings by event: those of the search', async () => {
    const { of, total } = await run('pristine-warning-events');
    expect(total).toBe((await run('pristine-warnings')).total);
    expect(Object.values(of('2')).length).toBeGreaterThan(0);
  });

  test('lost lines: how many', async () => {
    expect((await run('pristine-lost-lines')).value('1')).toBe(3);
  });

  test('every search and panel that is shipped is run here', () => {
    const text = readFileSync(import.meta.filename, 'utf8');
    for (const { id, source } of objects) if (source) expect(text).toContain(`run('${id}'`);
  });
});
