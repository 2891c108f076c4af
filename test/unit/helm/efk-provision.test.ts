/** The Job's script against a server that answers as told: what it asks for, in which order, and when it gives up. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { freePort } from '../../../cluster/own-servers/free-port.ts';
import { provision } from '../../../helm/efk/files/provision.mjs';

type Answer = { status: number; body?: unknown };
type Asked = { method: string; path: string; body: string; authorization: string | undefined };

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

const usual: Record<string, Answer> = {
  'GET /': { status: 200, body: { version: { number: '9.5.4' } } },
  'GET /_data_stream/pristine-*': { status: 200, body: { data_streams: [{ name: 'pristine-logs-a' }] } },
  'HEAD /pristine-logs-default': { status: 404 },
  'HEAD /pristine-engine-default': { status: 404 },
  'POST /api/saved_objects/_import?overwrite=true': {
    status: 200,
    body: { success: true, successCount: 18 },
  },
};

/** `answers` go before the usual ones; each is given once for each time that it stands there. */
async function server(answers: Record<string, Answer[]> = {}) {
  const asked: Asked[] = [];
  const http = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method = '', url: path = '', headers } = request;
    const name = `${method} ${path}`;
    asked.push({
      method,
      path,
      body: Buffer.concat(chunks).toString(),
      authorization: headers.authorization,
    });
    const { status, body = {} } = answers[name]?.shift() ?? usual[name] ?? { status: 200 };
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await once(http, 'listening');
  closing.push(() => http.close());
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const lines: string[] = [];
  const run = (more: Record<string, string> = {}) =>
    provision(
      {
        SEARCH_URL: url,
        SEARCH_KIND: 'elasticsearch',
        EVENTS_STREAM: 'pristine-logs-default',
        ENGINE_STREAM: 'pristine-engine-default',
        EVENTS_DAYS: '30',
        ENGINE_DAYS: '7',
        ...more,
      },
      { log: (line: string) => lines.push(line), pauseMs: 1, tries: 4 },
    );
  const bodyOf = (path: string) => JSON.parse(asked.find((one) => one.path === path)?.body ?? 'null');
  return {
    url,
    asked,
    lines,
    run,
    bodyOf,
    paths: () => asked.map(({ method, path }) => `${method} ${path}`),
  };
}

test('in Elasticsearch: policies, then fields, templates that name them, streams that are there, and the two', async () => {
  const { run, paths, bodyOf } = await server();
  await run();
  expect(paths()).toEqual([
    'GET /',
    'PUT /_ilm/policy/pristine-logs',
    'PUT /_ilm/policy/pristine-engine',
    'PUT /_component_template/pristine-fields',
    'PUT /_index_template/pristine-logs',
    'PUT /_index_template/pristine-engine',
    'GET /_data_stream/pristine-*',
    'PUT /pristine-logs-a/_mapping?write_index_only=true',
    'HEAD /pristine-logs-default',
    'PUT /_data_stream/pristine-logs-default',
    'HEAD /pristine-engine-default',
    'PUT /_data_stream/pristine-engine-default',
  ]);
  expect(bodyOf('/_ilm/policy/pristine-engine').policy.phases.delete.min_age).toBe('7d');
  expect(bodyOf('/_index_template/pristine-logs')).toMatchObject({
    composed_of: ['pristine-fields'],
    data_stream: {},
    template: { settings: { 'index.lifecycle.name': 'pristine-logs' } },
  });
});

describe('in OpenSearch', () => {
  const policy = '/_plugins/_ism/policies/pristine-logs';
  const opensearch = { SEARCH_KIND: 'opensearch' };

  test('its own policies, found by the streams\u2019 names; templates have no setting that it does not know', async () => {
    const absent = [{ status: 404 }];
    const { run, paths, bodyOf, asked } = await server({ [`GET ${policy}`]: absent });
    await run(opensearch);
    expect(paths()).toContain(`PUT ${policy}`);
    expect(paths().join()).not.toContain('_ilm');
    expect(bodyOf('/_index_template/pristine-logs').template.settings).not.toHaveProperty(
      'index.lifecycle.name',
    );
    const put = asked.find(({ method, path }) => method === 'PUT' && path === policy);
    expect(JSON.parse(put?.body ?? '').policy).toMatchObject({
      states: [
        { name: 'hot', transitions: [{ state_name: 'delete', conditions: { min_index_age: '30d' } }] },
        { name: 'delete' },
      ],
      ism_template: [{ index_patterns: ['pristine-logs-*'] }],
    });
  });

  test('a policy that is there is changed with its number', async () => {
    const there = [{ status: 200, body: { _seq_no: 7, _primary_term: 2 } }];
    const { run, paths } = await server({ [`GET ${policy}`]: there });
    await run(opensearch);
    expect(paths()).toContain(`PUT ${policy}?if_seq_no=7&if_primary_term=2`);
  });

  test('without its plugin it goes on and says what that means', async () => {
    const none = [{ status: 400, body: { error: 'no handler found for uri' } }];
    const { run, paths, lines } = await server({ [`GET ${policy}`]: none });
    await run(opensearch);
    expect(paths()).not.toContain(`PUT ${policy}`);
    expect(lines.join('\n')).toMatch(/no index state management: pristine-logs is kept until somebody/);
  });
});

describe('a stream', () => {
  const name = 'pristine-logs-default';
  const streams = 'GET /_data_stream/pristine-*';
  const make = `PUT /_data_stream/${name}`;

  test('that is there is not made again', async () => {
    const there = [{ status: 200, body: { data_streams: [{ name }] } }];
    const { run, paths } = await server({ [streams]: there });
    await run();
    expect(paths()).not.toContain(make);
    expect(paths()).toContain('PUT /_data_stream/pristine-engine-default');
  });

  const exists = { error: { type: 'resource_already_exists_exception' } };
  test.each<Record<string, Answer[]>>([
    {
      [streams]: [
        { status: 200, body: { data_streams: [] } },
        { status: 200, body: { data_streams: [{ name }] } },
      ],
      [`HEAD /${name}`]: [{ status: 200 }],
    },
    { [make]: [{ status: 400, body: exists }] },
  ])('that a line made in between is as good: %#', async (answers) => {
    const { run, lines } = await server(answers);
    await run();
    expect(lines.at(-2)).toBe('streams: pristine-logs-default, pristine-engine-default');
  });

  test('whose name an index has is refused, with what to do; nobody may write then', async () => {
    const { run, paths } = await server({ [`HEAD /${name}`]: [{ status: 200 }] });
    await expect(run({ WRITER_PASSWORD: 'w', KIBANA_PASSWORD: 'k' })).rejects.toThrow(
      /^pristine-logs-default is an index .*delete it \(DELETE \/pristine-logs-default\)/,
    );
    expect(paths()).not.toContain(make);
    expect(paths().join()).not.toContain('_security');
  });

  test('that may not be made is an error with the server\u2019s words', async () => {
    const no = { error: { type: 'illegal_argument_exception', reason: 'no matching index template' } };
    const { run } = await server({ [make]: [{ status: 400, body: no }] });
    await expect(run()).rejects.toThrow(/_data_stream\/pristine-logs-default: 400 .*no matching/);
  });
});

test('users only where the chart has its own Elasticsearch, and the writer may add and nothing else', async () => {
  const { run, paths, bodyOf } = await server();
  await run();
  expect(paths().join()).not.toContain('_security');
  await run({ WRITER_PASSWORD: 'w', KIBANA_PASSWORD: 'k', SEARCH_USER: 'elastic', SEARCH_PASSWORD: 'e' });
  expect(bodyOf('/_security/user/kibana_system/_password')).toEqual({ password: 'k' });
  const { indices, cluster } = bodyOf('/_security/role/pristine_writer');
  expect(cluster).toEqual(['monitor']);
  expect(indices).toEqual([{ names: ['pristine-logs-*', 'pristine-engine-*'], privileges: ['create_doc'] }]);
});

test('the writer is made when there are streams to write to, and Kibana\u2019s password before Kibana is waited for', async () => {
  // One server for both.
  const { run, paths, url } = await server();
  await run({ WRITER_PASSWORD: 'w', KIBANA_PASSWORD: 'k', KIBANA_URL: url });
  expect(paths().slice(-5)).toEqual([
    'PUT /_data_stream/pristine-engine-default',
    'POST /_security/user/kibana_system/_password',
    'PUT /_security/role/pristine_writer',
    'PUT /_security/user/pristine_writer',
    'POST /api/saved_objects/_import?overwrite=true',
  ]);
});

test('every request is made as the user', async () => {
  const { run, asked } = await server();
  await run({ SEARCH_USER: 'elastic', SEARCH_PASSWORD: 'p:ä' });
  const basic = `Basic ${Buffer.from('elastic:p:ä').toString('base64')}`;
  expect(new Set(asked.map(({ authorization }) => authorization))).toEqual(new Set([basic]));
});

describe('dashboards', () => {
  test('are imported over what is there', async () => {
    const search = await server();
    const kibana = await server();
    await search.run({ KIBANA_URL: kibana.url });
    expect(kibana.paths()).toEqual(['POST /api/saved_objects/_import?overwrite=true']);
    expect(kibana.asked[0]?.body).toContain('"id":"pristine-overview"');
  });

  test.each(['/_dashboards', '/_dashboards/'])('go below the path of the URL: %s', async (path) => {
    const under = 'POST /_dashboards/api/saved_objects/_import?overwrite=true';
    const imported = { status: 200, body: { success: true, successCount: 18 } };
    const search = await server();
    const kibana = await server({ [under]: [imported] });
    await search.run({ KIBANA_URL: `${kibana.url}${path}` });
    expect(kibana.paths()).toEqual([under]);
  });

  test('that Kibana does not take are an error with its words', async () => {
    const failed = { success: false, errors: [{ id: 'pristine-slowest', error: { type: 'unsupported' } }] };
    const search = await server();
    const kibana = await server({
      'POST /api/saved_objects/_import?overwrite=true': [{ status: 200, body: failed }],
    });
    await expect(search.run({ KIBANA_URL: kibana.url })).rejects.toThrow(/pristine-slowest.*unsupported/);
  });
});

test('a search cluster below a path is asked below it', async () => {
  const at = (name: string, body: unknown) => ({ [name]: [{ status: 200, body }] });
  const { run, url, paths } = await server({
    ...at('GET /search/', { version: { number: '9.5.4' } }),
    ...at('GET /search/_data_stream/pristine-*', {
      data_streams: [{ name: 'pristine-logs-default' }, { name: 'pristine-engine-default' }],
    }),
  });
  await run({ SEARCH_URL: `${url}/search/` });
  expect(paths().filter((one) => !one.includes(' /search/'))).toEqual([]);
});

describe('a server that is not there yet', () => {
  test('is waited for', async () => {
    const { run, paths } = await server({ 'GET /': [{ status: 503 }, { status: 429 }] });
    await run();
    expect(paths().filter((one) => one === 'GET /')).toHaveLength(3);
  });

  test('is given up with what it said last', async () => {
    const { run } = await server({ 'GET /': Array.from({ length: 9 }, () => ({ status: 503 })) });
    await expect(run()).rejects.toThrow(/GET http.*still not there: 503/);
  });

  test('or does not answer at all, too', async () => {
    const { run } = await server();
    const nobody = `http://127.0.0.1:${await freePort('127.0.0.1')}`;
    await expect(run({ SEARCH_URL: nobody })).rejects.toThrow(/still not there: .*ECONNREFUSED/);
  });
});

test('a no is not asked again', async () => {
  const no = { status: 403, body: { error: 'action [cluster:admin/ilm/put] is unauthorized' } };
  const path = 'PUT /_ilm/policy/pristine-logs';
  const { run, paths } = await server({ [path]: [no] });
  await expect(run()).rejects.toThrow(/_ilm\/policy\/pristine-logs: 403 .*unauthorized/);
  expect(paths().filter((one) => one === path)).toHaveLength(1);
});

test.each([
  [{ SEARCH_URL: '' }, 'SEARCH_URL is not set'],
  [{ EVENTS_STREAM: '' }, 'EVENTS_STREAM is not set'],
  [{ EVENTS_DAYS: '0' }, 'days of logs: not a whole number'],
  [{ ENGINE_DAYS: '1.5' }, 'days of engine: not a whole number'],
])('%j is refused', async (settings, words) => {
  const { run } = await server();
  await expect(run(settings)).rejects.toThrow(words);
});
