import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type LinkServer, startLinkServer } from '../../../bench/link-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'links-'));
let server: LinkServer;

beforeAll(async () => {
  writeFileSync(join(folder, 'a'), 'content');
  server = await startLinkServer('127.0.0.1', join(folder, 'out'), [join(folder, 'a')]);
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

test('serves inputs by number and keeps uploads', async () => {
  expect(await (await fetch(`${server.url}/in/0`)).text()).toBe('content');
  const put = await fetch(`${server.url}/out/job/7/report.xml`, { method: 'PUT', body: 'report' });
  expect(put.status).toBe(201);
  expect(readFileSync(join(folder, 'out/job/7/report.xml'), 'utf8')).toBe('report');
});

test('has nothing else', async () => {
  for (const path of ['/in/1', '/in/a', '/', '/out/job/0/rebuilt']) {
    expect((await fetch(server.url + path)).status).toBe(404);
  }
  const outside = await fetch(`${server.url}/out/job/..%2Fx/y`, { method: 'PUT', body: '' });
  expect(outside.status).toBe(404);
});
