/** An OpenSearch of a test's own, on the loopback. `make up` fetches it and the Java that it runs on. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { builtFiles } from '../../cluster/built.ts';
import { layoutOf } from '../../cluster/layout.ts';
import { readVersions } from '../../cluster/versions.ts';

const repo = join(import.meta.dirname, '../..');

export type OwnOpenSearch = {
  url: string;
  /** The answer's JSON; throws with the server's words when it is no success. */
  ask(method: string, path: string, body?: object | string): Promise<unknown>;
  close(): Promise<void>;
};

export async function startOpenSearch(): Promise<OwnOpenSearch> {
  const { java, opensearchJars } = builtFiles(layoutOf(repo, process.env), readVersions(repo));
  if (!existsSync(java) || !existsSync(opensearchJars)) {
    throw new Error('OpenSearch is not there: run `make up WAIT=1` first');
  }
  const folder = mkdtempSync(join(tmpdir(), 'pristine-opensearch-'));
  const port = await freeHttpPort();
  const log = join(folder, 'server.log');
  const out = openSync(log, 'a');
  const child = spawn(
    java,
    [
      ...['-Xms256m', '-Xmx512m', '-cp', join(opensearchJars, '*')],
      'org.codelibs.opensearch.runner.OpenSearchRunner',
      // Node n listens on the base port + n.
      ...['-basePath', folder, '-numOfNode', '1', '-baseHttpPort', String(port - 1)],
      ...['-clusterName', `pristine-test-${port}`],
      // The others are not needed, and of the analyzers one asks for a language that this Java lacks.
      ...['-moduleTypes', 'org.opensearch.transport.Netty4ModulePlugin'],
    ],
    { cwd: folder, stdio: ['ignore', out, out] },
  );
  const url = `http://127.0.0.1:${port}`;
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  const close = async () => {
    if (!ended()) {
      child.kill('SIGTERM');
      const exit = once(child, 'exit');
      if ((await Promise.race([exit, sleep(20_000)])) === undefined) child.kill('SIGKILL');
      if (!ended()) await exit;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  for (let tried = 0; !(await fetch(url).catch(() => undefined))?.ok; tried++) {
    if (ended() || tried === 600) {
      const said = readFileSync(log, 'utf8').slice(-2_000);
      await close();
      throw new Error(`OpenSearch did not come up: ${said}`);
    }
    await sleep(200);
  }
  return {
    url,
    async ask(method, path, body) {
      const type = typeof body === 'string' ? 'application/x-ndjson' : 'application/json';
      const answer = await fetch(`${url}${path}`, {
        method,
        headers: { 'content-type': type },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
      return JSON.parse(text);
    },
    close,
  };
}

/** The runner takes none above 9299. */
async function freeHttpPort(): Promise<number> {
  for (let port = 9201; port < 9300; port++) {
    const server = createServer().listen(port, '127.0.0.1');
    const free = await Promise.race([
      once(server, 'listening').then(() => true),
      once(server, 'error').then(() => false),
    ]).catch(() => false);
    if (!free) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
  throw new Error('no port from 9201 to 9299 is free');
}
