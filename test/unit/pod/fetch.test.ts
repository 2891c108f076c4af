import { createHash } from 'node:crypto';
import { readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { fetchFile } from '../../../pod/fetch.ts';
import { EXIT } from '../../../pod/protocol.ts';
import { folder, IMPATIENT, keptLog, stopped } from './quick.ts';
import { bytes, type Handler, scriptedServer, status } from './scripted-server.ts';

const WANTED = Buffer.from('the bytes that were listed');
const OTHER = Buffer.from('quite other bytes, as many');
const order = (url: URL, content: Uint8Array = WANTED) => ({
  url,
  sha256: createHash('sha256').update(content).digest('hex'),
  size: content.length,
});

/** Runs `fetch` against a script and says how it ended, what lies in the folder, and what was logged. */
async function run(...script: Handler[]) {
  await using server = await scriptedServer(...script);
  await using into = await folder();
  const { log, events } = keptLog();
  const ending = await stopped(
    fetchFile(order(server.url('/secret-link?sig=abc')), { folder: into.path, log, patience: IMPATIENT }),
  );
  const entries = await readdir(into.path);
  const content = entries.includes('file') ? await readFile(join(into.path, 'file')) : null;
  return { ...ending, entries, content, events, requests: server.got.length };
}

const cutShort: Handler = (_request, response) => {
  response.writeHead(200, { 'content-length': WANTED.length });
  response.write(WANTED.subarray(0, 5), () => response.destroy());
};
const chunked =
  (content: Uint8Array): Handler =>
  (_request, response) => {
    response.writeHead(200);
    response.write(content);
    response.end();
  };

describe('fetch', () => {
  test('puts the listed bytes at `file`, read-only, and leaves nothing else', async () => {
    await using server = await scriptedServer(bytes(WANTED));
    await using into = await folder();
    const { log } = keptLog();
    await fetchFile(order(server.url('/x')), { folder: into.path, log });
    expect(await readdir(into.path)).toEqual(['file']);
    expect(await readFile(join(into.path, 'file'))).toEqual(WANTED);
    expect((await stat(join(into.path, 'file'))).mode & 0o777).toBe(0o444);
    expect(server.got).toHaveLength(1);
  });

  test('takes an empty file and a body without a length', async () => {
    await using server = await scriptedServer(bytes(Buffer.alloc(0)), chunked(WANTED));
    await using first = await folder();
    await using second = await folder();
    const { log } = keptLog();
    await fetchFile(order(server.url('/x'), Buffer.alloc(0)), { folder: first.path, log });
    await fetchFile(order(server.url('/x')), { folder: second.path, log });
    expect(await readFile(join(first.path, 'file'))).toHaveLength(0);
    expect(await readFile(join(second.path, 'file'))).toEqual(WANTED);
  });

  test.each([
    [404, EXIT.gone],
    [410, EXIT.gone],
    [412, EXIT.changed],
    [401, EXIT.linkRefused],
    [403, EXIT.linkRefused],
    [302, EXIT.transfer],
    [400, EXIT.transfer],
  ])('HTTP %d ends it at once with exit code %d', async (code, exit) => {
    const ended = await run(status(code));
    expect(ended).toMatchObject({ code: exit, entries: [], requests: 1 });
    expect(ended.message).toMatch(/^[A-Z].*\.$/);
  });

  test.each([[500], [503], [429], [408]])('HTTP %d is tried again', async (code) => {
    expect(await run(status(code), status(code), bytes(WANTED))).toMatchObject({
      code: 0,
      content: WANTED,
      requests: 3,
    });
  });

  test('gives up after four hiccups', async () => {
    expect(await run(status(503))).toMatchObject({ code: EXIT.transfer, entries: [], requests: 4 });
  });

  test('a transfer cut short is tried again, and its part is never seen', async () => {
    expect(await run(cutShort, bytes(WANTED))).toMatchObject({ code: 0, content: WANTED, entries: ['file'] });
    expect(await run(cutShort)).toMatchObject({ code: EXIT.transfer, entries: [], requests: 4 });
  });

  test('other bytes once are a corrupted transfer: downloaded again', async () => {
    expect(await run(bytes(OTHER), bytes(WANTED))).toMatchObject({ code: 0, content: WANTED, requests: 2 });
  });

  test('the same other bytes twice mean that the file changed', async () => {
    expect(await run(bytes(OTHER))).toMatchObject({ code: EXIT.changed, entries: [], requests: 2 });
  });

  test('bytes that differ each time are a bad transfer', async () => {
    let turn = 0;
    const flipping: Handler = (request, response) => {
      const body = Buffer.from(WANTED);
      body[0] = turn++;
      return bytes(body)(request, response);
    };
    expect(await run(flipping)).toMatchObject({ code: EXIT.transfer, entries: [], requests: 4 });
  });

  test.each([
    ['said to be longer', bytes(Buffer.concat([WANTED, OTHER]))],
    ['longer without saying so', chunked(Buffer.concat([WANTED, OTHER]))],
    ['shorter', bytes(WANTED.subarray(0, 4))],
    ['empty', bytes(Buffer.alloc(0))],
  ])('a file that is now %s has changed', async (_what, handler) => {
    expect(await run(handler)).toMatchObject({ code: EXIT.changed, entries: [], requests: 2 });
  });

  test('never reads more than was listed', async () => {
    let written = 0;
    const endless: Handler = (_request, response) => {
      response.writeHead(200);
      const block = Buffer.alloc(1 << 16);
      const more = () => {
        while (!response.destroyed && response.write(block)) written += block.length;
      };
      response.on('drain', more);
      more();
    };
    expect(await run(endless)).toMatchObject({ code: EXIT.changed, entries: [] });
    expect(written).toBeLessThan(64 << 20);
  });

  test.each([
    ['stalls before it answers', (() => undefined) as Handler],
    [
      'stalls in the middle',
      ((_request, response) => {
        response.writeHead(200, { 'content-length': WANTED.length });
        response.write(WANTED.subarray(0, 3));
      }) as Handler,
    ],
  ])('a server that %s is given up', async (_what, handler) => {
    await using server = await scriptedServer(handler);
    await using into = await folder();
    const { log, events } = keptLog();
    const limits = { connectMs: 5_000, idleMs: 40, totalMs: 5_000 };
    const ended = await stopped(
      fetchFile(order(server.url('/x')), {
        folder: into.path,
        log,
        limits,
        patience: { ...IMPATIENT, tries: 2 },
      }),
    );
    expect(ended.code).toBe(EXIT.transfer);
    expect(events.join()).toContain('IDLE_TIMEOUT');
    expect(await readdir(into.path)).toEqual([]);
  });

  test('a server that drips for ever is given up by the total limit', async () => {
    const dripping: Handler = (_request, response) => {
      response.writeHead(200, { 'content-length': WANTED.length });
      const timer = setInterval(() => response.write('x'), 30);
      response.on('close', () => clearInterval(timer));
    };
    await using server = await scriptedServer(dripping);
    await using into = await folder();
    const { log, events } = keptLog();
    const limits = { connectMs: 5_000, idleMs: 5_000, totalMs: 100 };
    const ended = await stopped(
      fetchFile(order(server.url('/x')), {
        folder: into.path,
        log,
        limits,
        patience: { ...IMPATIENT, tries: 1 },
      }),
    );
    expect(ended.code).toBe(EXIT.transfer);
    expect(events.join()).toContain('TOTAL_TIMEOUT');
  });

  test('a server that is not there is a transfer failure, named by its code', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const address = closed.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    await new Promise((resolve) => closed.close(resolve));
    await using into = await folder();
    const { log } = keptLog();
    const ended = await stopped(
      fetchFile(order(new URL(`http://127.0.0.1:${port}/x`)), {
        folder: into.path,
        log,
        patience: IMPATIENT,
      }),
    );
    expect(ended).toEqual({
      code: EXIT.transfer,
      message: 'The download failed 4 times, at last with: ECONNREFUSED.',
    });
  });

  test('writes through no link that lies in the way', async () => {
    await using server = await scriptedServer(bytes(WANTED));
    await using into = await folder();
    await using outside = await folder();
    await writeFile(join(outside.path, 'victim'), 'untouched');
    await symlink(join(outside.path, 'victim'), join(into.path, '.file.part'));
    await symlink(join(outside.path, 'victim'), join(into.path, 'file'));
    const { log } = keptLog();
    await fetchFile(order(server.url('/x')), { folder: into.path, log });
    expect(await readFile(join(outside.path, 'victim'), 'utf8')).toBe('untouched');
    expect(await readFile(join(into.path, 'file'))).toEqual(WANTED);
  });

  test('says the link nowhere, however it ends', async () => {
    for (const handler of [status(403), status(404), status(500), cutShort, bytes(OTHER)]) {
      const { message, events } = await run(handler);
      expect(message + events.join()).not.toMatch(/secret-link|sig=|127\.0\.0\.1/);
    }
  });
});
