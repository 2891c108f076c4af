/** Where images are made, and things that are made once. */
import { join } from 'node:path';
import { makeOnce } from '../cache.ts';
import { formatElapsed } from '../progress.ts';
import { type Layer, readLayer, writeLayer } from './archive.ts';

export type Workshop = {
  /** Repository folder. */
  readonly repo: string;
  /** `images` in the cache. */
  readonly folder: string;
  readonly progress: (line: string) => void;
};

/** Runs `make` for `<cache>/images/<name>` unless that is there, saying what is going on. Returns the folder. */
export async function once(
  shop: Workshop,
  name: string,
  what: string,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(shop.folder, name);
  const waiting = (holder: string) => shop.progress(`${what}: process ${holder} is making it, waiting`);
  await makeOnce(folder, waiting, async () => {
    const began = Date.now();
    shop.progress(`${what}: making it`);
    await make(folder);
    shop.progress(`${what}: done (${formatElapsed(Date.now() - began)})`);
  });
  return folder;
}

/** A layer, made once by its key. */
export async function layerOnce(
  shop: Workshop,
  name: string,
  what: string,
  fill: (root: string) => Promise<void>,
): Promise<Layer> {
  return readLayer(await once(shop, name, what, (folder) => writeLayer(folder, fill)));
}
