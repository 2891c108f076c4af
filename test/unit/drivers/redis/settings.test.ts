import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { planConnection, type RedisSettings } from '../../../../drivers/redis/settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'pristine-redis-settings-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string) => {
  writeFileSync(join(folder, name), name);
  return join(folder, name);
};

describe('what is planned', () => {
  test.each<[RedisSettings, unknown]>([
    [{ url: 'redis://host' }, { kind: 'server', at: { host: 'host', port: 6379 }, db: 0, access: {} }],
    [{ url: 'redis://[::1]:7/3' }, { kind: 'server', at: { host: '::1', port: 7 }, db: 3, access: {} }],
    [
      { url: 'redis://us%40er:p%3Aw@host' },
      {
        kind: 'server',
        at: { host: 'host', port: 6379 },
        db: 0,
        access: { username: 'us@er', password: 'p:w' },
      },
    ],
    [
      { url: 'redis://:50%off@host' },
      { kind: 'server', at: { host: 'host', port: 6379 }, db: 0, access: { password: '50%off' } },
    ],
    [
      { url: 'redis://host?password=pw' },
      { kind: 'server', at: { host: 'host', port: 6379 }, db: 0, access: { password: 'pw' } },
    ],
    [
      { url: 'redis://host', username: 'u', password: 'p:w' },
      { kind: 'server', at: { host: 'host', port: 6379 }, db: 0, access: { username: 'u', password: 'p:w' } },
    ],
    [
      { url: 'rediss://host' },
      { kind: 'server', at: { host: 'host', port: 6379 }, db: 0, access: { tls: {} } },
    ],
    [
      { url: 'redis://host:1', cluster: true },
      { kind: 'cluster', nodes: [{ host: 'host', port: 1 }], access: {} },
    ],
    [
      { url: 'rediss://one:1, rediss://:pw@two:2' },
      {
        kind: 'cluster',
        nodes: [
          { host: 'one', port: 1 },
          { host: 'two', port: 2 },
        ],
        access: { password: 'pw', tls: {} },
      },
    ],
    [
      { sentinel: { sentinels: [{ host: 's', port: 1 }], master: 'm', password: 'watch' }, password: 'pw' },
      {
        kind: 'sentinel',
        sentinels: [{ host: 's', port: 1 }],
        master: 'm',
        access: { password: 'pw' },
        sentinelAccess: { password: 'watch' },
      },
    ],
  ])('%j', (settings, plan) => {
    expect(planConnection(settings)).toEqual(plan);
  });

  test('TLS files are read, for Redis and the Sentinels', () => {
    const tlsFiles = { ca: file('ca'), cert: file('cert'), key: file('key') };
    const tls = { ca: Buffer.from('ca'), cert: Buffer.from('cert'), key: Buffer.from('key') };
    expect(planConnection({ url: 'rediss://host', tlsFiles }).access).toEqual({ tls });
    const sentinel = { sentinels: [{ host: 's', port: 1 }], master: 'm', tls: true };
    expect(planConnection({ sentinel, tlsFiles })).toMatchObject({
      access: { tls },
      sentinelAccess: { tls },
    });
    // Without TLS nobody needs them.
    expect(planConnection({ url: 'redis://host', tlsFiles: { ca: '/not/there' } }).access).toEqual({});
  });
});

test.each<[string, RedisSettings]>([
  ['nothing', {}],
  ['two schemes', { url: 'redis://a,rediss://:s3cret@b' }],
  ['a database in a Cluster', { url: 'redis://a,redis://:s3cret@b/1' }],
  ['an empty part', { url: 'redis://:s3cret@a,' }],
  ['a database without a number', { url: 'redis://:s3cret@a/b' }],
  ['a file that is not there', { url: 'rediss://:s3cret@a', tlsFiles: { ca: '/not/there' } }],
])('%s is refused, and no password repeated', (_name, settings) => {
  expect(() => planConnection(settings)).toThrow(
    expect.objectContaining({
      code: 'config.invalid',
      retryable: false,
      message: expect.not.stringContaining('s3cret'),
    }),
  );
});
