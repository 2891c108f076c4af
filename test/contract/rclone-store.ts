/** A second S3 store of a test's own: rclone over a folder. `make up` builds the program. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builtFiles } from '../../cluster/built.ts';
import { layoutOf } from '../../cluster/layout.ts';
import { freePort } from '../../cluster/own-servers/free-port.ts';
import { readVersions } from '../../cluster/versions.ts';
import { createS3Client, type S3Settings } from '../../drivers/s3/client.ts';
import type { TestStore } from './s3-store.ts';

const repo = join(import.meta.dirname, '../..');

export type RcloneStore = TestStore & {
  settings: S3Settings & { endpoint: string };
  /** Files of the bucket's folder that rclone does not list: what it has not finished. */
  hidden(): Promise<string[]>;
};

/** The program, or an error that says how to get it: a test that needs it is not skipped. */
export function rcloneProgram(): string {
  const program = builtFiles(layoutOf(repo, process.env), readVersions(repo)).rclone;
  if (!existsSync(program)) throw new Error('rclone is not built: run `make up WAIT=1` first');
  return program;
}

/** Starts one on a free port of the loopback, with one bucket. */
export async function startRcloneStore(): Promise<RcloneStore> {
  const folder = await mkdtemp(join(tmpdir(), 'pristine-rclone-'));
  const bucket = 'pristine-test';
  await mkdir(join(folder, bucket));
  const port = await freePort('127.0.0.1');
  const credentials = { accessKeyId: 'test', secretAccessKey: randomBytes(16).toString('hex') };
  const args = ['serve', 's3', folder, '--addr', `127.0.0.1:${port}`, '--config', ''];
  const keys = `${credentials.accessKeyId},${credentials.secretAccessKey}`;
  const child = spawn(rcloneProgram(), [...args, '--auth-key', keys], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const settings = {
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials,
  };
  await answers(settings.endpoint, child);
  const client = createS3Client(settings);
  return {
    client,
    bucket,
    settings,
    async hidden() {
      const files = await readdir(join(folder, bucket), { recursive: true });
      return files.filter((file) => file.includes('.rclone_temp_'));
    },
    async close() {
      client.destroy();
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
      await rm(folder, { recursive: true });
    },
  };
}

async function answers(endpoint: string, child: ChildProcess): Promise<void> {
  let said = '';
  child.stderr?.on('data', (chunk) => {
    said = `${said}${chunk}`.slice(-2_000);
  });
  for (let round = 0; round < 600; round += 1) {
    if (child.exitCode !== null) throw new Error(`rclone ended at once: ${said}`);
    // Any answer will do: without a signature it is 403.
    if (await fetch(endpoint).catch(() => undefined)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`rclone does not answer: ${said}`);
}
