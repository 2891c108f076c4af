/**
 * Builds the images without a registry and without a daemon: `node cluster/build-images.ts [name…]`, or
 * `--push REGISTRY` to send them to one, for a cluster that is not ours.
 */
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { runChecked } from './command.ts';
import { ARCHIVE_FILE, writeImage } from './images/archive.ts';
import { inputHash } from './images/inputs.ts';
import { IMAGE_NAMES, type ImageName, recipes } from './images/recipes.ts';
import { once, type Workshop } from './images/workshop.ts';
import { layoutOf } from './layout.ts';
import { OperatorError } from './operator-error.ts';

/** `ref` is the image's name and tag, `archive` the docker-archive file that holds it. */
export type BuiltImage = { readonly ref: string; readonly archive: string };

export type ImageOptions = {
  /** Shared by all copies of the repository. */
  readonly cacheDir: string;
  /** `.pristine`: images.json goes there. */
  readonly stateDir: string;
  /** All images when left out. */
  readonly only?: readonly string[];
  readonly progress: (line: string) => void;
};

const IMAGES_FILE = 'images.json';
const KEYS = {
  pod: 'pod',
  'engine-mat2': 'engineMat2',
  'engine-faulty': 'engineFaulty',
  worker: 'worker',
  redis: 'redis',
} as const;
const imagesSchema = z.object({
  pod: z.string().optional(),
  engineMat2: z.string().optional(),
  engineFaulty: z.string().optional(),
  worker: z.string().optional(),
  redis: z.string().optional(),
});

/** Image names as `.pristine/images.json` has them; one is missing until it has been built once. */
export type Images = z.infer<typeof imagesSchema>;

/**
 * Builds what is not in the cache yet, in seconds when nothing changed, and writes `<stateDir>/images.json`.
 * A tag is the hash of what went in, so an image with a known tag is never built or imported again. With `only`,
 * just those are built and returned; the others keep their line in images.json.
 */
export async function ensureImages(
  options: ImageOptions & { readonly only?: undefined },
): Promise<Record<ImageName, BuiltImage>>;
export async function ensureImages(options: ImageOptions): Promise<Partial<Record<ImageName, BuiltImage>>>;
export async function ensureImages(options: ImageOptions): Promise<Partial<Record<ImageName, BuiltImage>>> {
  const names = chosen(options.only);
  const shop: Workshop = {
    repo: join(import.meta.dirname, '..'),
    folder: join(options.cacheDir, 'images'),
    progress: options.progress,
  };
  await mkdir(shop.folder, { recursive: true });
  const built: Partial<Record<ImageName, BuiltImage>> = {};
  for (const name of names) built[name] = await buildImage(shop, name);
  const images = await readImages(options.stateDir);
  for (const name of names) images[KEYS[name]] = built[name]?.ref;
  await writeImages(options.stateDir, images);
  return built;
}

/** What `<stateDir>/images.json` says; empty before the first build. */
export async function readImages(stateDir: string): Promise<Images> {
  try {
    return imagesSchema.parse(JSON.parse(await readFile(join(stateDir, IMAGES_FILE), 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

/**
 * Pushes images to `registry` (`host/path`) with skopeo and writes their names there to images.json, for a cluster
 * with nodes of its own. Credentials are skopeo's own matter (`skopeo login`).
 */
export async function pushImages(registry: string, options: ImageOptions): Promise<Images> {
  const built = await ensureImages(options);
  const images = await readImages(options.stateDir);
  for (const name of IMAGE_NAMES) {
    const image = built[name];
    if (!image) continue;
    const ref = image.ref.replace(/^pristine\.local\//, `${registry.replace(/\/+$/, '')}/`);
    options.progress(`${name}: pushing to ${ref}`);
    await runChecked('skopeo', ['copy', `docker-archive:${image.archive}:${image.ref}`, `docker://${ref}`]);
    images[KEYS[name]] = ref;
  }
  await writeImages(options.stateDir, images);
  return images;
}

async function buildImage(shop: Workshop, name: ImageName): Promise<BuiltImage> {
  const { layers, configuration, identity } = await recipes[name](shop);
  const made = identity ?? layers.map(({ sha256 }) => sha256);
  const tag = inputHash('1', JSON.stringify(configuration), ...made);
  const ref = `pristine.local/${name}:${tag}`;
  const folder = await once(shop, `image-${name}-${tag}`, `image ${name}`, (target) =>
    writeImage(target, ref, configuration, layers),
  );
  await forgetOlder(shop.folder, `image-${name}-`);
  return { ref, archive: join(folder, ARCHIVE_FILE) };
}

/** Keeps the three newest of an image: another copy of the repository may be a version behind. */
async function forgetOlder(folder: string, prefix: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.startsWith(prefix) && !name.endsWith('.lock'));
  const dated = await Promise.all(
    names.map(async (name) => ({ name, at: (await stat(join(folder, name))).mtimeMs })),
  );
  dated.sort((a, b) => b.at - a.at);
  for (const { name } of dated.slice(3)) await rm(join(folder, name), { recursive: true, force: true });
}

function chosen(only: readonly string[] | undefined): readonly ImageName[] {
  const unknown = only?.filter((name) => !IMAGE_NAMES.some((known) => known === name)) ?? [];
  if (unknown.length > 0)
    throw new OperatorError(
      `There is no image ${unknown.join(', ')}: the images are ${IMAGE_NAMES.join(', ')}.`,
    );
  return IMAGE_NAMES.filter((name) => only?.includes(name) ?? true);
}

async function writeImages(stateDir: string, images: Images): Promise<void> {
  await mkdir(stateDir, { recursive: true });
  const file = join(stateDir, IMAGES_FILE);
  await writeFile(`${file}.new`, `${JSON.stringify(images, null, 2)}\n`);
  await rename(`${file}.new`, file);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { push: { type: 'string' } },
  });
  const { cache, state } = layoutOf(join(import.meta.dirname, '..'), process.env);
  const options: ImageOptions = {
    cacheDir: cache,
    stateDir: state,
    ...(positionals.length > 0 ? { only: positionals } : {}),
    progress: (line) => console.error(line),
  };
  if (values.push !== undefined) await pushImages(values.push, options);
  else await ensureImages(options);
  console.log(JSON.stringify(await readImages(state), null, 2));
}

if (import.meta.main)
  main().catch((error: unknown) => {
    console.error(error instanceof OperatorError ? error.message : error);
    process.exitCode = 1;
  });
