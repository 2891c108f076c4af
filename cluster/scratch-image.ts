import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readLayer, writeImage, writeLayer } from './images/archive.ts';
import type { Layout } from './layout.ts';

/** Makes `<folder>/image.tar`: an image that holds one static program and nothing else, named `ref`. */
export async function buildScratchImage(
  layout: Layout,
  image: { readonly ref: string; readonly program: string; readonly user: string },
  folder: string,
): Promise<void> {
  const temporary = mkdtempSync(join(layout.cache, '.imaging-'));
  try {
    const layer = join(temporary, 'layer');
    await writeLayer(layer, async (root) => {
      copyFileSync(image.program, join(root, 'program'));
      chmodSync(join(root, 'program'), 0o755);
    });
    const configuration = { entrypoint: ['/program'], env: {}, user: image.user };
    await writeImage(folder, image.ref, configuration, [await readLayer(layer)]);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
