/** An etcd of a test's own, to kill, fill and lock: the one of the local cluster is Kubernetes'. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { builtFiles } from '../../cluster/built.ts';
import { layoutOf } from '../../cluster/layout.ts';
import { freePort } from '../../cluster/own-servers/free-port.ts';
import { readVersions } from '../../cluster/versions.ts';
import { connectEtcd, type Etcd, type EtcdConnectionOptions } from '../../drivers/etcd/connect.ts';
import { recordingLog } from './redis-connection.ts';

const repo = join(import.meta.dirname, '../..');

export type OwnEtcd = {
  url: string;
  /** Where a test may put files of its own. */
  folder: string;
  start(): Promise<void>;
  /** SIGKILL, and gone when it resolves. */
  kill(): Promise<void>;
  /** One of etcd's calls as JSON, past the driver: to arrange what the driver cannot, and to look from outside. */
  ask(path: string, body?: object): Promise<Record<string, unknown>>;
  /** How many leases there are. */
  leases(): Promise<number>;
  /** A connection that close() closes too. */
  connect(more?: Partial<EtcdConnectionOptions>): Etcd;
  close(): Promise<void>;
};

/** Not started yet. `args` are options of etcd; with `scheme` https they must say its certificates. */
export async function ownEtcd(
  args: readonly string[] = [],
  scheme: 'http' | 'https' = 'http',
): Promise<OwnEtcd> {
  const folder = await mkdtemp(join(tmpdir(), 'pristine-etcd-'));
  const address = async (kind: string) => `${kind}://127.0.0.1:${await freePort('127.0.0.1')}`;
  const [url, peer, health] = [await address(scheme), await address('http'), await address('http')];
  const program = builtFiles(layoutOf(repo, process.env), readVersions(repo)).etcd;
  const connections: Etcd[] = [];
  let child: ChildProcess | undefined;
  let output = '';
  const kill = async () => {
    if (child === undefined) return;
    const ended = once(child, 'exit');
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await ended;
    }
    child = undefined;
  };
  const ask = async (path: string, body: object = {}) => {
    const answer = await fetch(`${url}/v3/${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`etcd answered ${path} with ${answer.status}: ${await answer.text()}`);
    return z.record(z.string(), z.unknown()).parse(await answer.json());
  };
  return {
    url,
    folder,
    ask,
    leases: async () => z.array(z.unknown()).parse((await ask('lease/leases')).leases ?? []).length,
    async start() {
      child = spawn(
        program,
        [
          ...['--name', 'own', '--data-dir', join(folder, 'data'), '--log-level', 'warn'],
          ...['--listen-client-urls', url, '--advertise-client-urls', url],
          ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
          ...['--initial-cluster', `own=${peer}`, '--listen-metrics-urls', health],
          ...args,
        ],
        { stdio: ['ignore', 'ignore', 'pipe'] },
      );
      child.stderr?.on('data', (text: Buffer) => {
        output = `${output}${text}`.slice(-4_000);
      });
      await once(child, 'spawn');
      await ready(child, health, () => output);
    },
    kill,
    connect(more) {
      const connection = connectEtcd({ endpoints: [url], log: recordingLog().log, ...more });
      connections.push(connection);
      return connection;
    },
    async close() {
      for (const one of connections) one.close();
      await kill();
      await rm(folder, { recursive: true });
    },
  };
}

/** One that has started, for a whole file of tests; each of them has a prefix of its own. */
export async function startOwnEtcd(args: readonly string[] = []): Promise<OwnEtcd> {
  const own = await ownEtcd(['--unsafe-no-fsync', ...args]);
  await own.start().catch(async (error: unknown) => {
    await own.close();
    throw error;
  });
  return own;
}

export const newPrefix = () => `test-${randomUUID()}`;

async function ready(child: ChildProcess, health: string, output: () => string): Promise<void> {
  for (let round = 0; round < 600; round++) {
    if (child.exitCode !== null) throw new Error(`etcd ended at once: ${output()}`);
    const answer = await fetch(`${health}/readyz`).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`etcd is not ready: ${output()}`);
}
