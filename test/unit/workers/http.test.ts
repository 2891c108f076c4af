import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Counter, Registry } from 'prom-client';
import { type HttpOptions, passedWithin, startHttp } from '../../../workers/http.ts';
import { freeLoopbackAddress } from '../../../workers/metrics.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const start = async (options: Partial<HttpOptions> = {}) => {
  const registry = new Registry();
  new Counter({ name: 'pristine_test_total', help: 'x', registers: [registry] }).inc(3);
  const server = await startHttp({
    listen: { host: '127.0.0.1', port: 0 },
    live: () => true,
    ready: {},
    registry,
    ...options,
  });
  closing.push(server.close);
  return async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`);
    return { status: answer.status, body: await answer.text(), type: answer.headers.get('content-type') };
  };
};
/** The SDK's exporter as it looks from outside; resolves with its host:port. */
const exporter = async (status: number, body: string): Promise<string> => {
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/metrics' ? status : 404).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
};

describe('/livez', () => {
  test('says whether the workers live', async () => {
    let alive = true;
    const get = await start({ live: () => alive });
    expect(await get('/livez')).toMatchObject({ status: 200 });
    alive = false;
    expect(await get('/livez')).toMatchObject({ status: 503 });
  });

  test('does not ask the checks: a Redis that is away is no reason to be restarted', async () => {
    const get = await start({ ready: { index: () => Promise.reject(new Error('away')) } });
    expect(await get('/livez')).toMatchObject({ status: 200 });
  });
});

describe('/readyz', () => {
  test('all checks pass', async () => {
    const get = await start({ ready: { index: async () => {}, temporal: async () => {} } });
    expect(await get('/readyz')).toMatchObject({ status: 200 });
    expect(await get('/readyz?verbose')).toMatchObject({ status: 200 });
  });

  test('names each check that fails, with its reason, and no other', async () => {
    const get = await start({
      ready: {
        index: () => Promise.reject(new Error('Redis does not answer')),
        temporal: async () => {},
        kubernetes: () => Promise.reject('forbidden'),
        workers: () => {
          throw new Error('thrown at once');
        },
      },
    });
    expect(await get('/readyz')).toMatchObject({
      status: 503,
      body: 'index: Redis does not answer\nkubernetes: forbidden\nworkers: thrown at once\n',
    });
  });

  test('a check that never answers fails', async () => {
    const get = await start({ ready: { index: () => new Promise(() => {}) }, checkMs: 10 });
    expect(await get('/readyz')).toMatchObject({ status: 503, body: 'index: no answer in time\n' });
  });
});

describe('/metrics', () => {
  test('are ours and the SDK’s in one', async () => {
    const sdk = 'temporal_worker_start_total{namespace="default"} 3\n';
    const get = await start({ sdkMetrics: await exporter(200, sdk) });
    const { status, body, type } = await get('/metrics');
    expect(status).toBe(200);
    expect(type).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(body).toMatch(/^pristine_test_total 3$/m);
    expect(body).toMatch(/^temporal_worker_start_total\{namespace="default"\} 3$/m);
  });

  test('are ours alone where the SDK has none', async () => {
    const get = await start();
    expect((await get('/metrics')).body).toMatch(/^pristine_test_total 3$/m);
  });

  test.each([
    ['does not listen', () => freeLoopbackAddress()],
    ['fails', () => exporter(500, 'temporal_half 1')],
  ])('are ours and a remark where the SDK’s exporter %s', async (_name, address) => {
    const get = await start({ sdkMetrics: await address() });
    const { status, body } = await get('/metrics');
    expect(status).toBe(200);
    expect(body).toMatch(/^pristine_test_total 3$/m);
    expect(body).toMatch(/^# .*could not be read/m);
    expect(body).not.toContain('temporal_half');
  });
});

test('anything else is not found, a check that breaks the answer is an error, and neither ends the server', async () => {
  const get = await start({
    live: () => {
      throw new Error('broken');
    },
  });
  expect(await get('/')).toMatchObject({ status: 404 });
  expect(await get('/constructor')).toMatchObject({ status: 404 });
  expect(await get('//')).toMatchObject({ status: 404 });
  expect(await get('/livez')).toMatchObject({ status: 500 });
  expect(await get('/readyz')).toMatchObject({ status: 200 });
});

test('a port in use is told', async () => {
  const address = await exporter(200, '');
  const port = Number(address.split(':')[1]);
  await expect(start({ listen: { host: '127.0.0.1', port } })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

test('closing does not wait for a check that hangs', async () => {
  const [asked, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const server = await startHttp({
    listen: { host: '127.0.0.1', port: 0 },
    live: () => true,
    ready: {
      index: () => {
        asked.resolve();
        return release.promise;
      },
    },
    registry: new Registry(),
    checkMs: 60_000,
  });
  const answer = fetch(`http://127.0.0.1:${server.port}/readyz`).catch(() => 'cut');
  await asked.promise;
  await server.close();
  release.resolve();
  expect(await answer).toBe('cut');
});

describe('a check that is not made each time', () => {
  test('is made again when it is old, and at once when it has failed', async () => {
    let now = 1_000;
    let asked = 0;
    let away = true;
    const check = passedWithin(
      100,
      async () => {
        asked += 1;
        if (away) throw new Error('away');
      },
      () => now,
    );
    await expect(check()).rejects.toThrow('away');
    await expect(check()).rejects.toThrow('away');
    away = false;
    await check();
    expect(asked).toBe(3);
    now += 99;
    await check();
    expect(asked).toBe(3);
    now += 1;
    away = true;
    await expect(check()).rejects.toThrow('away');
    expect(asked).toBe(4);
  });
});
