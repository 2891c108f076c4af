/** A Redis of a test's or the bench's own, to kill, starve and lock: never the shared one. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis, type RedisOptions } from 'ioredis';
import { z } from 'zod';
import { freePort } from './free-port.ts';

export type OwnRedis = {
  url: string;
  port: number;
  /** Where its append-only file and dumps lie. */
  folder: string;
  start(): Promise<void>;
  /** SIGKILL, and gone when it resolves. */
  kill(): Promise<void>;
  close(): Promise<void>;
};

/** How a test asks whether it is up; with `tls` it is told to speak TLS only. */
type Probe = Pick<RedisOptions, 'tls'>;

/** Not started yet. Needs `redis-server` in PATH; `args` are its options. */
export function ownRedis(args: string[], probe: Probe = {}): Promise<OwnRedis> {
  return ownServer(probe, async (folder, port) => [
    ...(probe.tls === undefined ? ['--port', `${port}`] : ['--port', '0', '--tls-port', `${port}`]),
    ...['--bind', '127.0.0.1', '--dir', folder, '--save', '', ...args],
  ]);
}

/** A Sentinel that alone decides when `master` is down: after a second. Not started yet. */
export function ownSentinel(
  master: { name: string; port: number; password: string },
  lines: string[] = [],
): Promise<OwnRedis> {
  return ownServer({}, async (folder, port) => {
    const config = join(folder, 'sentinel.conf');
    const text = [
      'bind 127.0.0.1',
      `port ${port}`,
      `dir ${folder}`,
      `sentinel monitor ${master.name} 127.0.0.1 ${master.port} 1`,
      `sentinel auth-pass ${master.name} ${master.password}`,
      `sentinel down-after-milliseconds ${master.name} 1000`,
      `sentinel failover-timeout ${master.name} 10000`,
      ...lines,
      '',
    ];
    await writeFile(config, text.join('\n'));
    return [config, '--sentinel'];
  });
}

async function ownServer(
  probe: Probe,
  argsOf: (folder: string, port: number) => Promise<string[]>,
): Promise<OwnRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'pristine-redis-'));
  const port = await freePort('127.0.0.1');
  let child: ChildProcess | undefined;
  const kill = async () => {
    if (child === undefined) return;
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }
    child = undefined;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    folder,
    async start() {
      if (child !== undefined) throw new Error('it runs already');
      child = spawn('redis-server', await argsOf(folder, port), { stdio: 'ignore' });
      await once(child, 'spawn');
      await answers(port, child, probe);
    },
    kill,
    async close() {
      await kill();
      await rm(folder, { recursive: true });
    },
  };
}

/** The Bloom module that the Redis at `url` has loaded, as options of redis-server. */
export async function bloomOf(url: string): Promise<string[]> {
  const redis = new Redis(url, { maxRetriesPerRequest: 1 });
  redis.on('error', () => {});
  try {
    // Flat lists of field, value; see MODULE LIST.
    const answer = await redis.call('MODULE', 'LIST').catch((cause: unknown) => {
      throw new Error('No Redis answers at REDIS_URL: run `make up` first', { cause });
    });
    const modules = z.array(z.array(z.unknown())).parse(answer);
    const paths = modules.map((fields) => fields[fields.indexOf('path') + 1]);
    const path = paths.find((found) => typeof found === 'string' && found.includes('bloom'));
    return ['--loadmodule', z.string().parse(path)];
  } finally {
    redis.disconnect();
  }
}

async function answers(port: number, child: ChildProcess, { tls }: Probe): Promise<void> {
  const probe = new Redis(port, '127.0.0.1', {
    maxRetriesPerRequest: null,
    retryStrategy: () => 20,
    ...(tls && { tls }),
  });
  probe.on('error', () => {});
  const died = once(child, 'exit').then(() => {
    throw new Error('redis-server ended at once: is its port taken, or an option wrong?');
  });
  try {
    // Any answer will do: one that wants a password answers too.
    await Promise.race([probe.ping().catch(() => {}), died]);
  } finally {
    died.catch(() => {});
    probe.disconnect();
  }
}
