/** The file system of the mat2 engine: Debian with mat2 and what it needs, without what no engine reads. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runChecked } from '../command.ts';
import { type Layer, packLayer, readLayer, stage } from './archive.ts';
import { filesBelow, hashFiles, inputHash } from './inputs.ts';
import { layerOnce, once, type Workshop } from './workshop.ts';

const SUITE = 'bookworm';

// bubblewrap is left out on purpose (it is only recommended): without privileges it can't work in the pod, and mat2
// would fail where it finds it. ffmpeg (300 MB) too: video is refused.
const PACKAGES = ['mat2', 'python3'];

const LEFT_OUT = [
  '/usr/share/doc/*',
  '/usr/share/man/*',
  '/usr/share/info/*',
  '/usr/share/locale/*',
  '/usr/share/lintian/*',
  '/usr/share/bug/*',
  '/usr/share/zoneinfo/right/*',
  '/usr/share/zoneinfo/posix/*',
  '/usr/share/X11/*',
  '/usr/share/mime/packages/*.its',
  '/usr/share/perl5/Image/ExifTool/Lang/*',
  '/usr/share/perl/*/Unicode/Collate/*',
  '/usr/lib/x86_64-linux-gnu/perl/*/CORE/*',
];

/** Where the adapter lies in the image: Python finds it there without being told. */
const ADAPTER = 'usr/lib/python3/dist-packages/pristine_mat2';

/**
 * A folder with the layer and `packages.txt` (each Debian package with its version). Debian keeps only the newest version of each in a release, so versions can't be
 * fixed before; they are written down after.
 */
async function debianRoot(shop: Workshop): Promise<string> {
  const key = inputHash('1', SUITE, ...PACKAGES, '-', ...LEFT_OUT);
  return once(shop, `mat2-root-${key}`, 'Debian with mat2', (folder) =>
    stage(folder, async (temporary) => {
      const kept = join(temporary, 'kept');
      const root = join(temporary, 'root');
      await mkdir(kept);
      await runChecked(
        'mmdebstrap',
        [
          '--variant=essential',
          `--include=${PACKAGES.join(',')}`,
          '--aptopt=Apt::Install-Recommends "false"',
          ...LEFT_OUT.map((path) => `--dpkgopt=path-exclude=${path}`),
          SUITE,
          root,
        ],
        { onLine: (line) => line.startsWith('I: ') && shop.progress(`Debian with mat2: ${line.slice(3)}`) },
      );
      for (const path of ['var/cache', 'var/log']) await emptyFolder(join(root, path));
      for (const folder of ['in', 'out']) await mkdir(join(root, 'pristine', folder), { recursive: true });
      const listed = await runChecked('dpkg-query', ['--admindir', join(root, 'var/lib/dpkg'), '--show']);
      await writeFile(join(kept, 'packages.txt'), listed.replaceAll('\t', '='));
      await packLayer(root, kept, { keepTimes: true, without: ['./dev/*'] });
      return kept;
    }),
  );
}

/**
 * Debian below, the adapter above: changing the adapter makes the small one anew. The adapter is not compiled: that
 * would save 6 ms a start. `identity` is the packages' versions and the adapter: Debian's installation leaves times
 * and caches that differ from one machine to the next, and would make the same engine another.
 */
export async function mat2Layers(
  shop: Workshop,
): Promise<{ layers: readonly Layer[]; identity: readonly string[] }> {
  const debian = await debianRoot(shop);
  const sources = 'engines/mat2/pristine_mat2';
  const adapterHash = await hashFiles(shop.repo, [sources]);
  const adapter = await layerOnce(shop, `layer-mat2-${adapterHash}`, 'mat2 adapter', async (root) => {
    await mkdir(join(root, ADAPTER), { recursive: true });
    const files = await filesBelow(shop.repo, sources);
    await runChecked('install', [
      '-m',
      '0644',
      ...files.map((file) => join(shop.repo, file)),
      join(root, ADAPTER),
    ]);
  });
  const packages = await readFile(join(debian, 'packages.txt'), 'utf8');
  return { layers: [await readLayer(debian), adapter], identity: [packages, ...LEFT_OUT, adapterHash] };
}

async function emptyFolder(folder: string): Promise<void> {
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true });
}
