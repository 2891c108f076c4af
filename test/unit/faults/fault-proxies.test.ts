/** What the fault tests lean on does what it says. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type FaultProxy, faultProxy } from '../../../cluster/own-servers/fault-proxy.ts';
import { httpFaultProxy } from '../../faults/http-fault-proxy.ts';

const BODY = 'x'.repeat(1_000);
let server: Server;
let port: number;
let asked = 0;
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    asked++;
    request.resume();
    if (request.url === '/host') response.end(request.headers.host);
    else response.end(BODY);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(async () => {
  for (const close of closing) await close();
  server.closeAllConnections();
  server.close();
});

describe('the HTTP proxy', () => {
  const opened = async () => {
    const proxy = await httpFaultProxy(`http://127.0.0.1:${port}`);
    closing.push(proxy.close);
    const get = async (path = '/') => {
      const answer = await fetch(proxy.url + path);
      return { status: answer.status, text: await answer.text() };
    };
    return { proxy, get };
  };

  test('forwards all as it is, Host too', async () => {
    const { proxy, get } = await opened();
    expect(await get()).toEqual({ status: 200, text: BODY });
    expect((await get('/host')).text).toBe(new URL(proxy.url).host);
    expect(proxy.requests.map(({ path }) => path)).toEqual(['/', '/host']);
  });

  test('answers, cuts and delays as told, and stops when told', async () => {
    const { proxy, get } = await opened();
    const before = asked;
    proxy.meet(() => ({ status: 503, body: 'busy', headers: { 'retry-after': '1' } }));
    expect(await get()).toEqual({ status: 503, text: 'busy' });
    proxy.meet(() => 'cut');
    await expect(get()).rejects.toThrow();
    expect(asked).toBe(before);
    proxy.meet(() => 'lose-answer');
    await expect(get()).rejects.toThrow();
    expect(asked).toBe(before + 1);
    proxy.meet(() => ({ delayMs: 100 }));
    const began = performance.now();
    await get();
    expect(performance.now() - began).toBeGreaterThan(90);
    proxy.meet();
    expect((await get()).text).toBe(BODY);
  });

  test('cuts, stalls and corrupts bodies', async () => {
    const { proxy, get } = await opened();
    proxy.meet(() => ({ cutBodyAfter: 10 }));
    await expect(get()).rejects.toThrow();
    proxy.meet(() => ({ flipBit: 3 }));
    expect((await get()).text).toBe(`xxxy${BODY.slice(4)}`);
    proxy.meet(() => ({ stallBodyAfter: 10 }));
    const answer = await fetch(proxy.url);
    const reader = answer.body?.getReader();
    expect((await reader?.read())?.value?.length).toBe(10);
    const silent = await Promise.race([reader?.read(), new Promise((go) => setTimeout(go, 200, 'silent'))]);
    expect(silent).toBe('silent');
  });
});

describe('the TCP proxy', () => {
  const opened = async () => {
    const proxy = await faultProxy({ host: '127.0.0.1', port });
    closing.push(proxy.close);
    return proxy;
  };
  const connected = (proxy: FaultProxy) =>
    new Promise<Socket>((resolve) => {
      const socket = connect(proxy.port, proxy.host, () => resolve(socket));
      socket.on('error', () => undefined);
    });
  /** All that comes within 150 ms, and whether the connection was closed. */
  const ask = async (socket: Socket) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
    await new Promise((resolve) => setTimeout(resolve, 150));
    return { text, closed: socket.destroyed || socket.readableEnded };
  };

  test('carries both ways in fair weather', async () => {
    const proxy = await opened();
    expect((await ask(await connected(proxy))).text).toContain(BODY);
    expect([proxy.accepted, proxy.open]).toEqual([1, 1]);
  });

  test.each([
    ['stalled', { text: '', closed: false }, true],
    ['half-open', { text: '', closed: false }, true],
    ['frozen', { text: '', closed: false }, false],
    ['away', { text: '', closed: true }, false],
    ['no-answers', { text: '', closed: true }, true],
    [{ cutAfter: 20 }, { text: 'HTTP/1.1 200 OK\r\nDat', closed: true }, true],
  ] as const)('%j: what stands, and whether a new connection works', async (weather, standing, works) => {
    const proxy = await opened();
    const socket = await connected(proxy);
    while (proxy.open === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    proxy.turn(weather);
    expect(await ask(socket)).toEqual(standing);
    const { text } = await ask(await connected(proxy));
    expect(text.includes(BODY)).toBe(works);
    proxy.turn('fair');
    expect((await ask(await connected(proxy))).text).toContain(BODY);
  });

  test('flips one bit, and is slow', async () => {
    const proxy = await opened();
    const socket = await connected(proxy);
    while (proxy.open === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    proxy.turn({ flipAfter: 9 });
    expect((await ask(socket)).text).toMatch(/^HTTP\/1\.1 300 OK/);
    proxy.turn({ slow: 10_000 });
    const began = performance.now();
    const response = await fetch(`http://${proxy.host}:${proxy.port}`);
    expect(await response.text()).toBe(BODY);
    expect(performance.now() - began).toBeGreaterThan(100);
  });
});
