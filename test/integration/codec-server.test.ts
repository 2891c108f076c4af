/** The codec server as a process, asked by the real temporal CLI. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freePort } from '../../cluster/own-servers/free-port.ts';
import { stackVariable } from '../contract/stack.ts';
import { startWorker, type WorkerProcess } from './worker-process.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const KEYS = `k1:${'a secret of a test '.repeat(3)}`;
const TOKEN = 'a-token-of-a-test-with-more-than-32-characters';

let worker: WorkerProcess;
let server: ChildProcess;
let endpoint: string;
const serve = (env: Record<string, string>) =>
  spawn(join(root, 'node_modules/.bin/node'), [join(root, 'workers/codec-server.ts')], {
    env: { PATH: process.env.PATH, PRISTINE_CODEC_KEYS: KEYS, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
beforeAll(async () => {
  worker = await startWorker({ PRISTINE_CODEC_KEYS: KEYS });
  const port = await freePort('127.0.0.1');
  endpoint = `http://127.0.0.1:${port}`;
  server = serve({
    PRISTINE_CODEC_SERVER_LISTEN: `127.0.0.1:${port}`,
    PRISTINE_CODEC_SERVER_TOKEN: TOKEN,
  });
  await worker.ready();
}, 120_000);
afterAll(async () => {
  server?.kill('SIGTERM');
  await worker?.stop();
});

const temporal = async (...words: string[]) => {
  const ended = await run('temporal', [...words, '--address', stackVariable('TEMPORAL_ADDRESS')]).catch(
    (error: { stdout: string; stderr: string }) => error,
  );
  return `${ended.stdout}${ended.stderr}`;
};
/** A history as the CLI prints it has each payload's bytes in base64. */
const payloadsIn = (history: string) =>
  [...history.matchAll(/"data": "([^"]*)"/g)]
    .map(([, base64 = '']) => Buffer.from(base64, 'base64').toString())
    .join('\n');
const decoded = () => ['--codec-endpoint', endpoint, '--codec-auth', `Bearer ${TOKEN}`];

test('the CLI encrypts an input and shows what came of it, with the codec server and not without', async () => {
  const id = `codec-${randomUUID()}`;
  const secret = `secret-folder-${randomUUID()}`;
  // Wrong input: it fails at once, and says why.
  const input = JSON.stringify({ source: `gopher://${secret}`, destination: 's3://clean/' });
  const where = ['--workflow-id', id];
  const start = ['workflow', 'execute', '--type', 'scan', '--task-queue', worker.taskQueue, ...where];
  expect(await temporal(...start, '--input', input, ...decoded())).toContain('FAILED');

  const show = ['workflow', 'show', ...where, '--output', 'json'];
  const sealed = await temporal(...show);
  expect(sealed).toContain('Encoded failure');
  expect(payloadsIn(sealed)).not.toContain(secret);
  expect(payloadsIn(sealed)).not.toContain('The source is a URL');
  const open = payloadsIn(await temporal(...show, ...decoded()));
  expect(open).toContain(`gopher://${secret}`);
  expect(open).toContain('The source is a URL that begins with');
  const unknown = await temporal(...show, '--codec-endpoint', endpoint);
  // The CLI goes on asking, and does not say what it was told.
  expect(unknown).toContain('deadline exceeded');
}, 120_000);

test('it does not start where others could ask it and it would not know them', async () => {
  const open = serve({ PRISTINE_CODEC_SERVER_LISTEN: '0.0.0.0:0' });
  let said = '';
  open.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const code = await new Promise((resolve) => open.once('close', resolve));
  expect(code).toBe(2);
  expect(said).toMatch(/PRISTINE_CODEC_SERVER_LISTEN: must be a loopback address/);
});
