import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import type { LogFields } from '../../../../drivers/events.ts';
import type { RedisConnection } from '../../../../drivers/redis/cluster.ts';
import { closeRedis, connectRedis } from '../../../../drivers/redis/connect.ts';
import { createRedisLocks } from '../../../../drivers/redis/locks.ts';
import type { RedisSettings } from '../../../../drivers/redis/settings.ts';

// Calls wait for some reconnections before they give up.
jest.setTimeout(60_000);

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A server that does this with each connection; resolves with its port. */
const serve = async (onSocket: (socket: Socket) => void): Promise<number> => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onSocket(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
};
const connect = (url: string, more: RedisSettings = {}) => {
  const lines: (LogFields & { message: string })[] = [];
  const record = (fields: LogFields, message: string) => {
    lines.push({ ...fields, message });
  };
  const log = { debug: record, info: record, warn: record, error: record };
  const redis = connectRedis({ url, ...more, log, connectTimeoutMs: 300, commandTimeoutMs: 300 });
  cleanups.push(() => redis.disconnect());
  return { redis, lines };
};
const call = (redis: RedisConnection) =>
  createRedisLocks(redis, { prefix: 'p' }).acquire({ profile: 'p', sha256: '0'.repeat(64) }, 'owner', 1000);
const unavailable = { name: 'DriverError', code: 'index.unavailable', retryable: true };

describe('a call fails as unavailable where', () => {
  test('nobody listens, and that is logged once', async () => {
    const port = await serve(() => {});
    await cleanups.pop()?.();
    const { redis, lines } = connect(`redis://127.0.0.1:${port}`);
    await expect(call(redis)).rejects.toMatchObject(unavailable);
    await expect(call(redis)).rejects.toMatchObject(unavailable);
    expect(lines.map((line) => line.event)).toEqual(['index.disconnected']);
  });

  test('nothing is ever answered, and such a connection is given up', async () => {
    const reconnected = Promise.withResolvers<void>();
    let connections = 0;
    const port = await serve(() => {
      connections++;
      if (connections === 2) reconnected.resolve();
    });
    await expect(call(connect(`redis://127.0.0.1:${port}`).redis)).rejects.toMatchObject(unavailable);
    await reconnected.promise;
  });

  test('calls are swallowed, and such a connection is given up', async () => {
    const reconnected = Promise.withResolvers<void>();
    let connections = 0;
    const port = await serve((socket) => {
      connections++;
      if (connections === 2) reconnected.resolve();
      // Answers what ioredis asks before it says that it is ready, and nothing else.
      socket.on('data', (bytes) => {
        for (const command of String(bytes)
          .toLowerCase()
          .split(/^\*\d+\r\n/m)) {
          if (command.includes('client')) socket.write('+OK\r\n');
          if (command.includes('info') && !command.includes('client')) socket.write('$9\r\nloading:0\r\n');
        }
      });
    });
    const { redis } = connect(`redis://127.0.0.1:${port}`);
    await once(redis, 'ready');
    await expect(call(redis)).rejects.toMatchObject({
      ...unavailable,
      cause: expect.objectContaining({ message: 'Command timed out' }),
    });
    await reconnected.promise;
  });

  test('each connection is cut', async () => {
    const port = await serve((socket) => socket.destroy());
    await expect(call(connect(`redis://127.0.0.1:${port}`).redis)).rejects.toMatchObject(unavailable);
  });

  test('the password is refused, and the password is in no line', async () => {
    const port = await serve((socket) => {
      socket.on('data', () =>
        socket.write('-WRONGPASS invalid username-password pair or user is disabled.\r\n'),
      );
    });
    const { redis, lines } = connect(`redis://user:s3cret@127.0.0.1:${port}`);
    await expect(call(redis)).rejects.toMatchObject(unavailable);
    expect(lines.length).toBeGreaterThan(0);
    expect(JSON.stringify(lines)).not.toContain('s3cret');
  });
});

describe('the URL', () => {
  test.each(['', 'localhost', 'http://localhost:6379', '/tmp/redis.sock', 'redis:', '6379'])(
    '%j is refused',
    (url) => {
      expect(() => connect(url)).toThrow(expect.objectContaining({ code: 'config.invalid' }));
    },
  );

  test('a refusal does not repeat it: it can hold a password', () => {
    expect(() => connect('rdis://:s3cret@localhost')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('s3cret') }),
    );
  });

  test.each(['rediss', 'REDISS'])('%s:// speaks TLS from the first byte', async (scheme) => {
    const first = Promise.withResolvers<number | undefined>();
    const port = await serve((socket) => socket.once('data', (bytes) => first.resolve(bytes[0])));
    connect(`${scheme}://127.0.0.1:${port}`);
    // A TLS record of type handshake.
    expect(await first.promise).toBe(0x16);
  });

  test('redis:// speaks plainly', async () => {
    const first = Promise.withResolvers<string>();
    const port = await serve((socket) => socket.once('data', (bytes) => first.resolve(String(bytes))));
    connect(`redis://127.0.0.1:${port}`);
    expect(await first.promise).toMatch(/^\*/);
  });
});

test('closing does not wait for a server that is not there', async () => {
  const port = await serve(() => {});
  await cleanups.pop()?.();
  const { redis } = connect(`redis://127.0.0.1:${port}`);
  const ended = once(redis, 'end');
  await closeRedis(redis);
  await ended;
});
