import { ensureImages, pushImages } from './build-images.ts';
import { importArchive } from './containerd.ts';
import { OperatorError } from './operator-error.ts';
import type { Stack } from './stack.ts';

/** Brings the project's images, once they are built, to where the cluster's nodes find them. */
export type ProjectImages = { readonly importInto: (stack: Stack) => Promise<void> };

// A scan needs these. The others are for tests and for workers inside a cluster; the worker's changes with each edit.
const needed = ['pod', 'engine-mat2'];

/**
 * Builds the project's own images, unless what they are made of has not changed. Their names go to
 * `.pristine/images.json`, where the worker reads them.
 */
export async function ensureProjectImages(
  { layout, progress }: Stack,
  which: 'needed' | 'all',
): Promise<ProjectImages> {
  const task = progress.task('images');
  try {
    const built = await ensureImages({
      cacheDir: layout.cache,
      stateDir: layout.state,
      progress: task.update,
      ...(which === 'all' ? {} : { only: needed }),
    });
    task.done();
    return {
      importInto: async (stack) => {
        for (const image of Object.values(built)) {
          const imported = await importArchive(stack.layout, image.archive, image.ref);
          if (imported) stack.progress.line(`${image.ref}: imported`);
        }
      },
    };
  } catch (error) {
    task.failed();
    throw error;
  }
}

/** Builds the images and sends them to the registry that the nodes of another cluster pull from. */
export async function pushProjectImages({ layout, progress }: Stack, env: NodeJS.ProcessEnv): Promise<void> {
  const registry = env.IMAGE_REGISTRY;
  if (registry === undefined || registry === '') {
    throw new OperatorError(
      'Set IMAGE_REGISTRY to a registry (host/path) that the nodes of your cluster pull from.',
    );
  }
  await pushImages(registry, { cacheDir: layout.cache, stateDir: layout.state, progress: progress.line });
}
