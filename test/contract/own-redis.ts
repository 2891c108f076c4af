/** A Redis of a test's own, to kill, starve and lock: never the shared one. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { z } from 'zod';
import { freePort } from './free-port.ts';
import { openTestRedis } from './redis-connection.ts';

export type OwnRedis = {
  url: string;
  start(): Promise<void>;
  /** SIGKILL, and gone when it resolves. */
  kill(): Promise<void>;
  close(): Promise<void>;
};

/** Not started yet. Needs `redis-server` in PATH; `args` are its options. */
export async function ownRedis(args: string[]): Promise<OwnRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'pristine-redis-'));
  const port = await freePort('127.0.0.1');
  const url = `redis://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  const kill = async () => {
    if (child === undefined) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    child = undefined;
  };
  return {
    url,
    async start() {
      const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', ...args];
      child = spawn('redis-server', own, { stdio: 'ignore' });
      await once(child, 'spawn');
      await answers(port, child);
    },
    kill,
    async close() {
      await kill();
      await rm(folder, { recursive: true });
    },
  };
}

/** The Bloom module that the shared Redis has loaded, as options of redis-server. */
export async function loadBloom(): Promise<string[]> {
  const { redis, close } = await openTestRedis();
  try {
    // Flat lists of field, value; see MODULE LIST.
    const modules = z.array(z.array(z.unknown())).parse(await redis.call('MODULE', 'LIST'));
    const paths = modules.map((fields) => fields[fields.indexOf('path') + 1]);
    const path = paths.find((found) => typeof found === 'string' && found.includes('bloom'));
    return ['--loadmodule', z.string().parse(path)];
  } finally {
    await close();
  }
}

async function answers(port: number, child: ChildProcess): Promise<void> {
  const probe = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: null, retryStrategy: () => 20 });
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
