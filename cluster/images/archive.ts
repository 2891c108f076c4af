/**
 * Image archives written directly: a layer is a tar of a folder, an image a tar of layers and two JSON files. No
 * daemon, no registry, no privileges, and the same bytes from the same content. What is written is what
 * `docker save` writes, which containerd, docker, podman and skopeo read.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { publish } from '../cache.ts';
import { runChecked } from '../command.ts';

/** One layer: a tar file and its sha256 (64 hex). */
export type Layer = { readonly tar: string; readonly sha256: string };

/** What a container of the image starts with. */
export type Configuration = {
  readonly entrypoint: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** `uid:gid`, numeric: Kubernetes can't tell that a name is not root. */
  readonly user: string;
  readonly workingFolder?: string;
};

const LAYER_FILE = 'layer.tar';
const HASH_FILE = 'layer.sha256';

/** Where an image's archive lies in its folder of the cache. */
export const ARCHIVE_FILE = 'image.tar';

/** Packs what `fill` puts into a folder. Files belong to root and have no times: equal content is equal bytes. */
export async function writeLayer(folder: string, fill: (root: string) => Promise<void>): Promise<void> {
  await stage(folder, async (temporary) => {
    const root = join(temporary, 'root');
    await mkdir(root, { mode: 0o755 });
    await fill(root);
    await packLayer(root, join(temporary, 'kept'), {});
    return join(temporary, 'kept');
  });
}

export type Packing = {
  /** For programs that look at files' times, as Python does with its compiled modules. */
  readonly keepTimes?: boolean;
  /** Patterns of tar, relative: `./dev/*`. */
  readonly without?: readonly string[];
};

/** Puts the layer of what lies in `root` into `folder`. */
export async function packLayer(root: string, folder: string, packing: Packing): Promise<void> {
  await mkdir(folder, { recursive: true });
  const tar = join(folder, LAYER_FILE);
  await runChecked('tar', [
    '--create',
    `--file=${tar}`,
    `--directory=${root}`,
    '--format=pax',
    '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime',
    '--sort=name',
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    ...(packing.keepTimes ? [] : ['--mtime=@0']),
    ...(packing.without ?? []).map((pattern) => `--exclude=${pattern}`),
    '.',
  ]);
  await writeFile(join(folder, HASH_FILE), await sha256OfFile(tar));
}

/** The layer that lies in a folder of the cache. */
export async function readLayer(folder: string): Promise<Layer> {
  return { tar: join(folder, LAYER_FILE), sha256: await readFile(join(folder, HASH_FILE), 'utf8') };
}

/** Puts `<folder>/image.tar` together: an image of that name with these layers, the first lowest. */
export async function writeImage(
  folder: string,
  ref: string,
  configuration: Configuration,
  layers: readonly Layer[],
): Promise<void> {
  await stage(folder, async (temporary) => {
    const root = join(temporary, 'root');
    await mkdir(root);
    const config = JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      created: '1970-01-01T00:00:00Z',
      config: {
        Entrypoint: configuration.entrypoint,
        Env: Object.entries(configuration.env).map(([name, value]) => `${name}=${value}`),
        User: configuration.user,
        WorkingDir: configuration.workingFolder ?? '/',
      },
      rootfs: { type: 'layers', diff_ids: layers.map(({ sha256 }) => `sha256:${sha256}`) },
      history: layers.map(() => ({ created: '1970-01-01T00:00:00Z' })),
    });
    const configFile = `${createHash('sha256').update(config).digest('hex')}.json`;
    const manifest = [
      { Config: configFile, RepoTags: [ref], Layers: layers.map(({ sha256 }) => `${sha256}.tar`) },
    ];
    await writeFile(join(root, configFile), config);
    await writeFile(join(root, 'manifest.json'), JSON.stringify(manifest));
    for (const { tar, sha256 } of layers) await link(tar, join(root, `${sha256}.tar`));
    await mkdir(join(temporary, 'kept'));
    await runChecked('tar', [
      '--create',
      `--file=${join(temporary, 'kept', ARCHIVE_FILE)}`,
      `--directory=${root}`,
      '--sort=name',
      '--owner=0',
      '--group=0',
      '--mtime=@0',
      '.',
    ]);
    return join(temporary, 'kept');
  });
}

/** Gives `make` a folder beside `folder` and moves what it returns to `folder`: never half of it is seen there. */
export async function stage(folder: string, make: (temporary: string) => Promise<string>): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  const temporary = await mkdtemp(join(dirname(folder), '.making-'));
  try {
    publish(await make(temporary), folder);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest('hex');
}
