/** A Temporal server of a test's own, to kill and start again: never the shared one. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../cluster/own-servers/free-port.ts';

const run = promisify(execFile);

export type OwnTemporal = {
  address: string;
  start(): Promise<void>;
  /** SIGKILL, and gone when it resolves. What it had answered is in its file. */
  kill(): Promise<void>;
  close(): Promise<void>;
};

/** Not started yet. Needs `temporal` in PATH; `more` are options of `temporal server start-dev`. */
export async function ownTemporal(more: readonly string[] = []): Promise<OwnTemporal> {
  const folder = await mkdtemp(join(tmpdir(), 'pristine-temporal-'));
  const port = await freePort('127.0.0.1');
  const address = `127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  const kill = async () => {
    if (child === undefined) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    child = undefined;
  };
  return {
    address,
    async start() {
      const args = [
        ...['server', 'start-dev', '--headless', '--ip', '127.0.0.1', '--port', String(port)],
        ...['--db-filename', join(folder, 'temporal.db'), '--log-level', 'error'],
        ...more,
      ];
      // The server asks its makers for news otherwise.
      const env = { ...process.env, TEMPORAL_VERSION_CHECK_DISABLED: '1' };
      child = spawn('temporal', args, { stdio: 'ignore', env });
      await once(child, 'spawn');
      await answers(address, child);
    },
    kill,
    async close() {
      await kill();
      await rm(folder, { recursive: true });
    },
  };
}

async function answers(address: string, child: ChildProcess): Promise<void> {
  for (let round = 0; round < 120; round++) {
    if (child.exitCode !== null) throw new Error(`temporal ended at once with ${child.exitCode}`);
    const probe = ['operator', 'namespace', 'describe', '--namespace', 'default', '--address', address];
    const serving = await run('temporal', probe, { timeout: 10_000 }).then(
      () => true,
      () => false,
    );
    if (serving) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`Temporal does not answer at ${address}`);
}
