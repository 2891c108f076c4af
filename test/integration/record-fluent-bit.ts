/**
 * `FLUENT_BIT=/path/to/fluent-bit node test/integration/record-fluent-bit.ts`: runs the shipped configuration on the
 * files of recorded/ and writes down what Fluent Bit sends. By hand, where one is to be had: none is in a registry.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RECORDED, recordedDocuments, recordedFiles } from './recorded-lines.ts';

const program = process.env.FLUENT_BIT ?? 'fluent-bit';
const folder = mkdtempSync(join(tmpdir(), 'pristine-fluent-bit-'));
const bodies: string[] = [];
const server = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  bodies.push(body);
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"errors":false,"items":[]}');
}).listen(0, '127.0.0.1');
await once(server, 'listening');

mkdirSync(join(folder, 'logs'));
mkdirSync(join(folder, 'buffers'));
for (const { file, name } of recordedFiles()) cpSync(file, join(folder, 'logs', name));
const files = join(import.meta.dirname, '../../helm/efk/files');
const child = spawn(program, ['-c', join(files, 'fluent-bit.yaml')], {
  stdio: 'inherit',
  env: {
    ...process.env,
    CONFIG_PATH: files,
    LOG_PATH: join(folder, 'logs'),
    BUFFER_PATH: join(folder, 'buffers'),
    WORKERS_NAMESPACE: 'pristine',
    FILES_NAMESPACE: 'pristine-files',
    MEMORY_LIMIT: '16M',
    EVENTS_DISK_LIMIT: '64M',
    ENGINE_DISK_LIMIT: '64M',
    RETRY_LIMIT: '1',
    EVENTS_STREAM: 'events',
    ENGINE_STREAM: 'engine',
    OUTPUT_HOST: '127.0.0.1',
    OUTPUT_PORT: String((server.address() as AddressInfo).port),
    OUTPUT_TLS: 'off',
    OUTPUT_TLS_VERIFY: 'on',
    OUTPUT_USER: '',
    OUTPUT_PASSWORD: '',
    OUTPUT_CA_FILE: '',
  },
});
await sleep(10_000);
child.kill('SIGTERM');
await once(child, 'exit');
server.close();
rmSync(folder, { recursive: true });
writeFileSync(join(RECORDED, 'documents.ndjson'), recordedDocuments(bodies));
