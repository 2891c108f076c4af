import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureImages } from '../cluster/build-images.ts';
import { bundlePod } from '../cluster/images/recipes.ts';
import type { Layout } from '../cluster/layout.ts';
import { bytesText, median } from './figures.ts';

const STARTS = 15;

/**
 * Milliseconds from spawning the pod's program until it has refused to work without orders: starting Node,
 * loading the bundle, reading the environment. The median of some starts, on this machine, outside a container.
 */
export async function podProgramStart(repo: string): Promise<{ bundleBytes: number; milliseconds: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'pristine-bench-'));
  try {
    const bundle = await bundlePod(repo);
    const program = join(folder, 'pod.cjs');
    await writeFile(program, bundle);
    const times = Array.from({ length: STARTS }, () => {
      const began = performance.now();
      const { status } = spawnSync(process.execPath, [program, 'upload'], { env: {}, stdio: 'ignore' });
      if (status !== 2) throw new Error(`the pod's program ended with ${status} instead of 2`);
      return performance.now() - began;
    });
    return { bundleBytes: bundle.length, milliseconds: median(times) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** `name  size` lines of the images' archives, uncompressed as a node holds them. */
export async function imageSizes({ cache, state }: Layout): Promise<string[]> {
  const only = ['pod', 'engine-mat2', 'worker'];
  const built = await ensureImages({ cacheDir: cache, stateDir: state, only, progress: () => {} });
  const sizes = Object.entries(built).map(async ([name, { archive }]) => {
    return `  ${name.padEnd(34)}${bytesText((await stat(archive)).size).padStart(9)}`;
  });
  return Promise.all(sizes);
}
