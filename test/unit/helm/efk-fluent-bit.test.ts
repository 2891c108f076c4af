/** Fluent Bit's configuration as it is shipped. What it makes of lines: test/integration/logs.test.ts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { loadYaml } from '@kubernetes/client-node';
import { z } from 'zod';
import { documentOf, fileParser, type Sent } from '../../integration/fluent-bit-rules.ts';
import { RECORDED, recordedLines } from '../../integration/recorded-lines.ts';
import { efkText } from './render-chart.ts';

const plugin = z.looseObject({ name: z.string(), match: z.string().optional() });
const { service, pipeline } = z
  .object({
    service: z.looseObject({}),
    pipeline: z.object({
      inputs: z.array(plugin),
      filters: z.array(plugin),
      outputs: z.array(plugin),
    }),
  })
  .parse(loadYaml(efkText('files/fluent-bit.yaml')));

/** A variable that the DaemonSet sets. */
const set = (name: string) => ['$', '{', name, '}'].join('');

test('it reads the two namespaces and nothing else of the node', () => {
  expect(pipeline.inputs.map(({ name, path, tag }) => [name, path, tag])).toEqual([
    ['tail', `${set('LOG_PATH')}/*_${set('WORKERS_NAMESPACE')}_*.log`, 'worker'],
    ['tail', `${set('LOG_PATH')}/*_${set('FILES_NAMESPACE')}_*.log`, 'engine'],
  ]);
});

test('what it holds is bounded, on disk, and survives it', () => {
  expect(service['storage.path']).toMatch(/^\$\{BUFFER_PATH\}\//);
  expect(service['storage.max_chunks_up']).toBeLessThanOrEqual(64);
  for (const input of pipeline.inputs) {
    expect(input).toMatchObject({
      db: expect.stringMatching(/^\$\{BUFFER_PATH\}\//),
      read_from_head: 'on',
      skip_long_lines: 'on',
      'storage.type': 'filesystem',
      'storage.pause_on_chunks_overlimit': 'on',
      mem_buf_limit: set('MEMORY_LIMIT'),
    });
  }
  for (const output of pipeline.outputs) {
    expect(output.retry_limit).toBe(set('RETRY_LIMIT'));
    expect(output['storage.total_limit_size']).toMatch(/^\$\{\w+_DISK_LIMIT\}$/);
  }
});

test('each stream takes its own lines: events, and what ran in pods said', () => {
  const by = Object.fromEntries(pipeline.outputs.map(({ index, ...output }) => [String(index), output]));
  expect(by[set('EVENTS_STREAM')]).toMatchObject({ match: 'worker' });
  expect(by[set('ENGINE_STREAM')]).toMatchObject({ match_regex: '^(engine|kept)$' });
  const kept = pipeline.filters.find(({ name }) => name === 'rewrite_tag');
  expect(kept).toMatchObject({ match: 'worker', rule: '$event ^container\\.logged$ kept false' });
});

test('what engines print is parsed by nothing', () => {
  const parsers = pipeline.filters.filter(({ name }) => name === 'parser');
  const parsed = parsers.map(({ match, key_name, parser }) => [match, key_name, parser]);
  expect(parsed).toContainEqual(['worker', 'log', 'worker_line']);
  expect(parsed.filter(([match, key]) => match !== 'worker' && key !== 'file')).toEqual([]);
});

test('a line that is sent twice is there once', () => {
  for (const output of pipeline.outputs) {
    expect(output).toMatchObject({ generate_id: 'on', write_operation: 'create', time_key_nanos: 'on' });
  }
});

describe('a file\u2019s name', () => {
  const id = 'ab'.repeat(32);
  test.each([
    ['worker_file', `pristine-files-0_pristine_worker-${id}.log`, 'pristine-files-0', 'worker'],
    [
      'file_pod',
      `pristine-abc-0a0b0c0d-a1_pristine-files_engine-${id}.log`,
      'pristine-abc-0a0b0c0d-a1',
      'engine',
    ],
    ['file_pod', `a.b_c_d-e-f-${id}.log`, 'a.b', 'd-e-f'],
  ])('%s: %s', (parser, name, pod, container) => {
    const groups = fileParser(parser).exec(`/var/log/containers/${name}`)?.groups ?? {};
    expect(Object.values(groups)).toEqual([pod, container]);
  });
});

test('the rules that tests go by make of recorded lines what Fluent Bit itself made of them', () => {
  const documents = readFileSync(join(RECORDED, 'documents.ndjson'), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line): unknown => JSON.parse(line));
  const inputs = { pristine: 'worker', 'pristine-files': 'engine' } as const;
  const made = recordedLines().flatMap(({ name, line }) => {
    const [, namespace = ''] = name.split('_');
    if (namespace !== 'pristine' && namespace !== 'pristine-files') return [];
    return [documentOf(`/var/log/containers/${name}`, line, inputs[namespace])];
  });
  expect(documents.length).toBeGreaterThan(30);
  expect(made).toHaveLength(documents.length);
  const order = ({ stream, document }: Sent) => `${stream} ${document['@timestamp']}`;
  expect(made.sort((a, b) => (order(a) < order(b) ? -1 : 1))).toEqual(documents);
});
