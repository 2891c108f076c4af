/**
 * Who comes first, the Job or a line: on a real OpenSearch, without anything else. This one has no users: that a writer
 * may create nothing is said to the whole server there (`action.auto_create_index`).
 */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { z } from 'zod';
import { provision } from '../../helm/efk/files/provision.mjs';
import { type OwnOpenSearch, startOpenSearch } from './own-opensearch.ts';

const STREAMS = ['pristine-logs-default', 'pristine-engine-default'];
const HOSTILE = { '@timestamp': '2030-01-01T00:00:00Z', event: 'scan.started', surprise: { deep: 1 } };

let search: OwnOpenSearch;
beforeEach(async () => {
  search = await startOpenSearch();
}, 180_000);
afterEach(async () => {
  await search?.close();
}, 60_000);

const job = () =>
  provision(
    {
      SEARCH_URL: search.url,
      SEARCH_KIND: 'opensearch',
      EVENTS_STREAM: STREAMS[0],
      ENGINE_STREAM: STREAMS[1],
      EVENTS_DAYS: '30',
      ENGINE_DAYS: '7',
    },
    { log: () => {}, pauseMs: 100, tries: 3 },
  );

/** As Fluent Bit sends it: the status of the one line. */
async function write(index: string): Promise<number | undefined> {
  const { items } = z
    .object({ items: z.array(z.object({ create: z.object({ status: z.number() }) })) })
    .parse(await search.ask('POST', `/${index}/_bulk`, `{"create":{}}\n${JSON.stringify(HOSTILE)}\n`));
  return items[0]?.create.status;
}

async function streams(): Promise<string[]> {
  const answer = await search.ask('GET', '/_data_stream/pristine-*');
  const { data_streams } = z.object({ data_streams: z.array(z.object({ name: z.string() })) }).parse(answer);
  return data_streams.map(({ name }) => name).sort();
}

const fieldsOf = async (name: string) => JSON.stringify(await search.ask('GET', `/${name}/_mapping`));

test('the Job first: both streams are there, a writer that may create nothing adds lines, and no field of theirs is mapped', async () => {
  await job();
  expect(await streams()).toEqual(STREAMS.toSorted());
  await search.ask('PUT', '/_cluster/settings', { persistent: { 'action.auto_create_index': false } });
  for (const name of STREAMS) {
    expect(await write(name)).toBe(201);
    expect(await fieldsOf(name)).not.toContain('surprise');
  }
  expect(await write('pristine-logs-other')).toBe(404);
  await job();
  expect(await streams()).toEqual(STREAMS.toSorted());
}, 120_000);

test('a line first: the Job fails and says what to do, and once that is done the next line makes the stream', async () => {
  const [name = ''] = STREAMS;
  expect(await write(name)).toBe(201);
  expect(await fieldsOf(name)).toContain('surprise');
  await expect(job()).rejects.toThrow(
    /^pristine-logs-default is an index .* delete it \(DELETE \/pristine-logs-default\)/,
  );
  await expect(job()).rejects.toThrow(/is an index/);

  await search.ask('DELETE', `/${name}`);
  expect(await write(name)).toBe(201);
  await job();
  expect(await streams()).toEqual(STREAMS.toSorted());
  expect(await fieldsOf(name)).not.toContain('surprise');
}, 120_000);
