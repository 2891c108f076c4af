/** What each image is made of. The Dockerfiles beside this file say the same for a builder with a registry. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { runChecked } from '../command.ts';
import type { Configuration, Layer } from './archive.ts';
import { inputHash } from './inputs.ts';
import { mat2Layers } from './mat2-root.ts';
import { NODE, nodeRuntimeLayer } from './node-runtime.ts';
import { redisLayer } from './redis-root.ts';
import { APP, workerLayers } from './worker-layers.ts';
import { layerOnce, type Workshop } from './workshop.ts';

export const IMAGE_NAMES = ['pod', 'engine-mat2', 'engine-faulty', 'worker', 'redis'] as const;
export type ImageName = (typeof IMAGE_NAMES)[number];

export type Recipe = {
  readonly layers: readonly Layer[];
  readonly configuration: Configuration;
  /** What the tag is made of; the layers' hashes where it is left out. */
  readonly identity?: readonly string[];
};

/** nobody's neighbour: the user that distroless images call nonroot. */
const USER = '65532:65532';

/** Makes (or finds) the layers of one image. */
export const recipes: Record<ImageName, (shop: Workshop) => Promise<Recipe>> = {
  pod: async (shop) => ({
    layers: [await nodeRuntimeLayer(shop), await programLayer(shop, await bundlePod(shop.repo), 'pod.cjs')],
    configuration: { entrypoint: [NODE, '/pod.cjs'], env: {}, user: USER },
  }),
  'engine-mat2': async (shop) => ({
    ...(await mat2Layers(shop)),
    configuration: {
      entrypoint: ['python3', '-I', '-m', 'pristine_mat2'],
      env: { PATH: '/usr/bin:/bin', HOME: '/tmp', LANG: 'C.UTF-8' },
      user: USER,
    },
  }),
  'engine-faulty': async (shop) => ({
    layers: [
      await nodeRuntimeLayer(shop),
      await programLayer(shop, await readFile(join(shop.repo, 'engines/faulty/engine.cjs')), 'engine.cjs'),
    ],
    configuration: { entrypoint: [NODE, '/engine.cjs'], env: {}, user: USER },
  }),
  worker: async (shop) => ({
    layers: [await nodeRuntimeLayer(shop), ...(await workerLayers(shop))],
    configuration: {
      entrypoint: [NODE, `${APP}/workers/main.ts`],
      env: { NODE_ENV: 'production', HOME: '/tmp' },
      user: USER,
      workingFolder: APP,
    },
  }),
  redis: async (shop) => ({
    layers: [await redisLayer(shop)],
    configuration: { entrypoint: ['/usr/bin/env'], env: { PATH: '/usr/bin' }, user: USER },
  }),
};

/**
 * The programs of the pod in one file. CommonJS: an ES module's import of node:http evaluates all that it exports,
 * which doubles the time to start (74 against 38 ms).
 */
export async function bundlePod(repo: string): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [join(repo, 'pod/main.ts')],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    minify: true,
    legalComments: 'none',
    logLevel: 'silent',
  });
  const [file] = outputFiles;
  if (!file) throw new Error('esbuild made no file of pod/main.ts');
  return file.contents;
}

function programLayer(shop: Workshop, program: Uint8Array, name: string): Promise<Layer> {
  return layerOnce(shop, `layer-program-${inputHash('1', name, program)}`, name, async (root) => {
    await mkdir(root, { recursive: true });
    const target = join(root, name);
    await writeFile(target, program);
    await runChecked('chmod', ['0644', target]);
  });
}
