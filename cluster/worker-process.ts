import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readEnvFile } from '../cli/env-file.ts';
import { answersHttp } from './health.ts';
import type { Layout } from './layout.ts';
import type { Part } from './part.ts';
import type { Listen } from './ports.ts';

// Where it says how it is.
const HTTP_PORT = 9464;

// What the worker is made of; a change in any of it restarts the worker.
const sources = ['workers', 'activities', 'drivers', 'workflows', 'fileserver'];

/** The variables of the worker: `.pristine/env`, `.pristine/worker.env` over it, and its own, narrow kubeconfig. */
export function workerVariables(layout: Layout): Record<string, string> {
  const stack = readEnvFile(layout.envFile);
  const own = readEnvFile(join(layout.state, 'worker.env'));
  const kubeconfig = stack.PRISTINE_WORKER_KUBECONFIG;
  return { ...stack, ...(kubeconfig === undefined ? {} : { KUBECONFIG: kubeconfig }), ...own };
}

/** The worker on this machine. */
export function worker(layout: Layout, variables: Readonly<Record<string, string>>): Part {
  const main = join(layout.repo, 'workers/main.ts');
  return {
    name: 'worker',
    command: join(layout.repo, 'node_modules/.bin/node'),
    args: [main],
    env: variables,
    configuration: [hashSources(layout.repo), profilesOf(variables)],
    listens: [{ host: '127.0.0.1', port: HTTP_PORT }, ...fileServer(variables)],
    healthy: () => answersHttp(`http://127.0.0.1:${HTTP_PORT}/readyz`),
    readyWithinMs: 60_000,
    stopWithinMs: 60_000,
  };
}

/** The worker reads its profiles once, at its start. */
function profilesOf({ PRISTINE_PROFILES_FILE: file }: Readonly<Record<string, string>>): string {
  return file !== undefined && existsSync(file) ? readFileSync(file, 'utf8') : '';
}

function fileServer(variables: Readonly<Record<string, string>>): Listen[] {
  const [host, port] = (variables.PRISTINE_FILE_SERVER_LISTEN ?? '').split(':');
  return host === undefined || port === undefined ? [] : [{ host, port: Number(port) }];
}

function hashSources(repo: string): string {
  const hash = createHash('sha256');
  const files = globSync(
    sources.map((folder) => `${folder}/**/*`),
    { cwd: repo, withFileTypes: true },
  )
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  for (const file of [...files.sort(), join(repo, 'package-lock.json')]) {
    hash.update(file.slice(repo.length)).update('\0').update(readFileSync(file)).update('\0');
  }
  return hash.digest('hex');
}
