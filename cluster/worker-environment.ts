import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { formatEnvFile } from '../cli/env-file.ts';
import type { Layout } from './layout.ts';
import { OperatorError } from './operator-error.ts';
import { writeWholeFile } from './whole-file.ts';

/** Port of the koa file server on the address that pods reach. */
const FILE_SERVER_PORT = 8480;

export type WorkerSetting = {
  /** Address of this machine that pods reach. */
  host: string;
  images: { pod: string; engine: string };
  /** SOURCE and DESTINATION, as `make demo` takes them. */
  env: NodeJS.ProcessEnv;
};

/**
 * Writes `.pristine/worker.env` and `.pristine/profiles.json`: what the worker on this machine is configured with
 * beside `.pristine/env`. Folders that were ever named as SOURCE or DESTINATION stay among the file roots.
 */
export function writeWorkerEnvironment(layout: Layout, { host, images, env }: WorkerSetting): void {
  const profiles = join(layout.state, 'profiles.json');
  writeWholeFile(profiles, `${JSON.stringify({ default: { image: images.engine } }, null, 2)}\n`);
  const variables = {
    PRISTINE_POD_IMAGE: images.pod,
    PRISTINE_PROFILES_FILE: profiles,
    PRISTINE_FILE_ROOTS: fileRoots(layout, env).join(':'),
    PRISTINE_FILE_SERVER_LISTEN: `${host}:${FILE_SERVER_PORT}`,
    PRISTINE_FILE_SERVER_URL: `http://${host}:${FILE_SERVER_PORT}`,
    PRISTINE_LINK_KEYS: `local:${linkSecret(layout)}`,
    PRISTINE_S3_PATH_STYLE: 'true',
  };
  writeWholeFile(join(layout.state, 'worker.env'), formatEnvFile(variables, layout.bin));
}

/** The demo's folder, and what people named before. The worker reads and writes below these only. */
function fileRoots(layout: Layout, env: NodeJS.ProcessEnv): string[] {
  const own = [join(layout.state, 'demo'), join(layout.state, 'test')];
  for (const folder of own) mkdirSync(folder, { recursive: true });
  const file = join(layout.data, 'file-roots.json');
  const known = readList(file);
  const named = [env.SOURCE ?? '', env.DESTINATION ?? ''].filter((place) => place !== '').flatMap(folderOf);
  const roots = [...new Set([...own, ...known, ...named])];
  mkdirSync(dirname(file), { recursive: true });
  writeWholeFile(file, `${JSON.stringify(roots.filter((root) => !own.includes(root)))}\n`);
  return roots;
}

/** A path or file URL as an absolute folder; nothing for places that are not on this machine's file system. */
function folderOf(place: string): string[] {
  if (place.startsWith('file://')) return [new URL(place).pathname];
  if (/^[a-z][a-z0-9+.-]*:\/\//.test(place)) return [];
  const folder = resolve(place);
  if (folder.includes(':'))
    throw new OperatorError(`${folder}: a folder with a colon can't be a file root; move it.`);
  return [folder];
}

function readList(file: string): string[] {
  try {
    const list: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return Array.isArray(list) ? list.filter((entry) => typeof entry === 'string') : [];
  } catch {
    return [];
  }
}

function linkSecret(layout: Layout): string {
  const file = join(layout.data, 'link-key');
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const secret = randomBytes(32).toString('hex');
  writeWholeFile(file, `${secret}\n`);
  return secret;
}
