/** A worker process of the test's own: real, with its own task queue, key prefix and instance label. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, openSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readEnvFile } from '../../cli/env-file.ts';
import { freePort } from '../../cluster/own-servers/free-port.ts';
import { builtImage, stackVariable } from '../contract/stack.ts';

const root = join(import.meta.dirname, '../..');

export type WorkerProcess = {
  taskQueue: string;
  instance: string;
  keyPrefix: string;
  /** Where its records and locks are. */
  redisUrl: string;
  /** A folder that the worker may read and write, of this test alone. */
  folder: string;
  ready(): Promise<void>;
  /** What /readyz answers now. */
  readiness(): Promise<{ status: number; text: string }>;
  /** Log lines so far whose `event` is this. */
  events(name: string): Record<string, unknown>[];
  /** What it serves at /metrics now. */
  metrics(): Promise<string>;
  /** Of the process that runs now. */
  pid(): number;
  /** Sends it; nothing if the process has ended. */
  signal(name: NodeJS.Signals): void;
  /** SIGKILL, no chance to tidy up. */
  kill(): Promise<void>;
  /** Resolves when the process has ended by itself; with the signal that ended it, if one did. */
  ended(): Promise<NodeJS.Signals | null>;
  /** Starts again with the same settings but for these. */
  restart(changes?: Record<string, string>): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
};

export type WorkerOptions = {
  /** Polls the queues of this one, with its key prefix, instance, folder and profiles. */
  beside?: WorkerProcess;
  /** Another entry than workers/main.ts, from the project's root. */
  entry?: string;
  /** A descriptor that its log goes to, instead of the file that `events` reads. */
  stdout?: number;
};

/** `more` are variables over those of the stack. */
export async function startWorker(
  more: Record<string, string> = {},
  { beside, entry = 'workers/main.ts', stdout }: WorkerOptions = {},
): Promise<WorkerProcess> {
  const name = beside?.taskQueue ?? `test-${randomBytes(4).toString('hex')}`;
  const folder = beside?.folder ?? ownFolder(name);
  const host = stackVariable('PRISTINE_HOST_ADDRESS');
  const [http, files] = [await freePort('127.0.0.1'), await freePort(host)];
  const profiles = join(folder, 'profiles.json');
  // A fingerprint of its own: what another run or the demo has done is not done here, nor the reverse.
  const ownEnv = { TEST_RUN: name };
  const faulty = {
    image: builtImage('engineFaulty'),
    args: ['from-file'],
    runDeadlineSeconds: 60,
    env: ownEnv,
  };
  writeFileSync(
    profiles,
    JSON.stringify({ default: { image: builtImage('engineMat2'), env: ownEnv }, faulty }),
  );
  const env = {
    ...process.env,
    ...readEnvFile(join(root, '.pristine/env')),
    ...readEnvFile(join(root, '.pristine/worker.env')),
    KUBECONFIG: stackVariable('PRISTINE_WORKER_KUBECONFIG'),
    PRISTINE_TASK_QUEUE: name,
    PRISTINE_KEY_PREFIX: name,
    PRISTINE_INSTANCE: name,
    PRISTINE_PROFILES_FILE: profiles,
    // Temporary files of this test are in no other's folder.
    PRISTINE_FILE_ROOTS: folder,
    PRISTINE_HTTP_LISTEN: `127.0.0.1:${http}`,
    PRISTINE_FILE_SERVER_LISTEN: `${host}:${files}`,
    PRISTINE_FILE_SERVER_URL: `http://${host}:${files}`,
    PRISTINE_HEARTBEAT_SECONDS: '2',
    PRISTINE_LOCK_TTL_SECONDS: '15',
    ...more,
  };
  const log = join(folder, beside === undefined ? 'worker.log' : `worker-${http}.log`);
  let child: ChildProcess;
  let redisUrl = more.REDIS_URL ?? beside?.redisUrl ?? stackVariable('REDIS_URL');
  const start = (changes: Record<string, string> = {}) => {
    redisUrl = changes.REDIS_URL ?? redisUrl;
    const out = openSync(log, 'a');
    child = spawn(join(root, 'node_modules/.bin/node'), [join(root, entry)], {
      env: { ...env, ...changes },
      stdio: ['ignore', stdout ?? out, out],
    });
  };
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  const ready = async () => {
    for (let round = 0; round < 600; round++) {
      if (ended()) throw new Error(`the worker ended: ${readFileSync(log, 'utf8').slice(-2_000)}`);
      const answer = await fetch(`http://127.0.0.1:${http}/readyz`).catch(() => undefined);
      if (answer?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`the worker is not ready: ${readFileSync(log, 'utf8').slice(-2_000)}`);
  };
  const end = async (signal: NodeJS.Signals) => {
    if (!ended()) {
      child.kill(signal);
      await once(child, 'exit');
    }
    return child.exitCode;
  };
  start();
  return {
    taskQueue: name,
    instance: name,
    keyPrefix: name,
    get redisUrl() {
      return redisUrl;
    },
    folder,
    ready,
    async readiness() {
      const answer = await fetch(`http://127.0.0.1:${http}/readyz`);
      return { status: answer.status, text: await answer.text() };
    },
    events: (event) =>
      readFileSync(log, 'utf8')
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line): Record<string, unknown> => JSON.parse(line))
        .filter((line) => line.event === event),
    metrics: async () => (await fetch(`http://127.0.0.1:${http}/metrics`)).text(),
    pid: () => child.pid ?? 0,
    signal: (name) => void child.kill(name),
    kill: async () => void (await end('SIGKILL')),
    ended: async () => {
      if (!ended()) await once(child, 'exit');
      return child.signalCode;
    },
    restart: async (changes) => {
      await end('SIGKILL');
      start(changes);
      await ready();
    },
    stop: () => end('SIGTERM'),
  };
}

/** Without links in it: the worker follows none. */
function ownFolder(name: string): string {
  const folder = join(root, '.pristine/test', name);
  mkdirSync(folder, { recursive: true });
  return realpathSync(folder);
}
