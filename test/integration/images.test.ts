import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { type BuiltImage, ensureImages, readImages } from '../../cluster/build-images.ts';
import { REDIS_BLOOM } from '../../cluster/images/redis-root.ts';
import { layoutOf } from '../../cluster/layout.ts';
import { unpackEngine } from '../contract/engine-image.ts';

const { cache, state } = layoutOf(join(import.meta.dirname, '../..'), process.env);

describe('the built images', () => {
  let images: Record<'pod' | 'engine-mat2' | 'engine-faulty' | 'worker' | 'redis', BuiltImage>;
  beforeAll(async () => {
    images = await ensureImages({ cacheDir: cache, stateDir: state, progress: () => undefined });
  }, 900_000);

  test('are made once: the second time says nothing and gives the same', async () => {
    const lines: string[] = [];
    const again = await ensureImages({
      cacheDir: cache,
      stateDir: state,
      progress: (line) => lines.push(line),
    });
    expect(lines).toEqual([]);
    expect(again).toEqual(images);
  }, 60_000);

  test('are named in images.json, and those not asked for keep their line', async () => {
    await ensureImages({ cacheDir: cache, stateDir: state, only: ['pod'], progress: () => undefined });
    expect(await readImages(state)).toEqual({
      pod: images.pod.ref,
      engineMat2: images['engine-mat2'].ref,
      engineFaulty: images['engine-faulty'].ref,
      worker: images.worker.ref,
      redis: images.redis.ref,
    });
  }, 60_000);

  test('an image that there is not is refused by name', async () => {
    const build = ensureImages({
      cacheDir: cache,
      stateDir: state,
      only: ['pods'],
      progress: () => undefined,
    });
    await expect(build).rejects.toThrow(/pods.*pod, engine-mat2/);
  });

  test('pod starts, and says what is wrong with its environment', async () => {
    const image = await unpackEngine(images.pod.archive);
    try {
      const { exitCode, log } = await image.run(Buffer.from(''), { args: ['fetch'] });
      expect({ exitCode, log }).toEqual({ exitCode: 2, log: expect.stringContaining('PRISTINE_GET_URL') });
    } finally {
      await image.remove();
    }
  }, 60_000);

  test('redis has the Bloom filter', async () => {
    const image = await unpackEngine(images.redis.archive);
    try {
      const { exitCode, log } = await image.run(Buffer.from(''), {
        args: [
          'redis-server',
          '--port',
          '6379',
          '--loadmodule',
          REDIS_BLOOM,
          '--loadmodule',
          '/not-there.so',
        ],
      });
      expect(exitCode).not.toBe(0);
      expect(log).toMatch(/Module 'bf' loaded from/);
      expect(log).toContain('/not-there.so');
    } finally {
      await image.remove();
    }
  }, 60_000);

  test('worker loads SWC, which bundles workflows, where no folder can be written', async () => {
    const image = await unpackEngine(images.worker.archive);
    try {
      const env = {
        NODE_OPTIONS: '--require=/app/node_modules/@swc/core/index.js',
        HOME: '/not-there',
        TMPDIR: '/not-there',
      };
      const { log } = await image.run(Buffer.from(''), { env });
      // It got as far as reading its configuration.
      expect(log).toContain('TEMPORAL_ADDRESS');
      expect(log).not.toContain('native binding');
    } finally {
      await image.remove();
    }
  }, 60_000);

  test('worker has all that its program loads, native modules too', async () => {
    const image = await unpackEngine(images.worker.archive);
    try {
      const { exitCode, log } = await image.run(Buffer.from(''), {});
      expect(exitCode).not.toBe(0);
      expect(log).toContain('TEMPORAL_ADDRESS');
      expect(log).not.toMatch(/ERR_MODULE_NOT_FOUND|ERR_DLOPEN_FAILED|Cannot find/);
    } finally {
      await image.remove();
    }
  }, 60_000);
});
