import { glob, mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { runChecked } from '../../../cluster/command.ts';
import { readLayer, writeImage, writeLayer } from '../../../cluster/images/archive.ts';
import { filesBelow, hashFiles, inputHash } from '../../../cluster/images/inputs.ts';
import { IMAGE_NAMES } from '../../../cluster/images/recipes.ts';
import { productionPackages, workerSources } from '../../../cluster/images/worker-layers.ts';

const repo = join(import.meta.dirname, '../../..');
const CONFIGURATION = { entrypoint: ['/a', 'b'], env: { HOME: '/tmp' }, user: '65532:65532' };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pristine-images-'));
});
afterEach(() => rm(folder, { recursive: true }));

const layer = async (name: string, changedAt = 1) => {
  await writeLayer(join(folder, name), async (root) => {
    await mkdir(join(root, 'etc'));
    await writeFile(join(root, 'etc/motd'), 'hello');
    await utimes(join(root, 'etc/motd'), changedAt, changedAt);
  });
  return readLayer(join(folder, name));
};

describe('images without a registry', () => {
  test('the same content makes the same layer, whoever owns it and whenever', async () => {
    const first = await layer('one');
    expect((await layer('two', 12345)).sha256).toBe(first.sha256);
    expect(await runChecked('tar', ['-tvf', first.tar])).toMatch(
      /-rw-r--r-- 0\/0 +5 1970-01-01 .*\.\/etc\/motd/,
    );
  });

  test('an archive names its image, its layers by their hashes, and how it starts', async () => {
    const one = await layer('one');
    await writeImage(join(folder, 'image'), 'pristine.local/x:abc', CONFIGURATION, [one]);
    const read = (name: string) => runChecked('tar', ['-xOf', join(folder, 'image/image.tar'), `./${name}`]);
    const [manifest] = JSON.parse(await read('manifest.json'));
    expect(manifest).toMatchObject({ RepoTags: ['pristine.local/x:abc'], Layers: [`${one.sha256}.tar`] });
    expect(JSON.parse(await read(manifest.Config))).toMatchObject({
      config: { Entrypoint: ['/a', 'b'], Env: ['HOME=/tmp'], User: '65532:65532', WorkingDir: '/' },
      rootfs: { diff_ids: [`sha256:${one.sha256}`] },
    });
    await runChecked('tar', ['-xf', join(folder, 'image/image.tar'), '-C', folder]);
    expect(await runChecked('sha256sum', [join(folder, `${one.sha256}.tar`)])).toContain(one.sha256);
  });

  test('a tag moves with names, contents and the executable bit, and with nothing else', async () => {
    await writeFile(join(folder, 'a'), 'x');
    const hash = () => hashFiles(folder, ['a']);
    const before = await hash();
    expect(await hash()).toBe(before);
    await runChecked('touch', [join(folder, 'a')]);
    expect(await hash()).toBe(before);
    await runChecked('chmod', ['+x', join(folder, 'a')]);
    expect(await hash()).not.toBe(before);
    expect(inputHash('ab', 'c')).not.toBe(inputHash('a', 'bc'));
  });

  test("the worker's packages are those of production, without what only builds images", async () => {
    const packages = productionPackages(await readFile(join(repo, 'package-lock.json'), 'utf8'));
    expect(packages).toEqual(
      expect.arrayContaining(['node_modules/@temporalio/core-bridge', 'node_modules/koa']),
    );
    expect(packages.filter((path) => /jest$|biome|typescript$|esbuild|node-linux/.test(path))).toEqual([]);
  });

  test.each(IMAGE_NAMES)('the Dockerfile of %s says the same as the recipe', async (name) => {
    const recipe = await readFile(join(repo, 'cluster/images/recipes.ts'), 'utf8');
    const dockerfile = await readFile(join(repo, `cluster/images/${name}.Dockerfile`), 'utf8');
    const program = /^ENTRYPOINT .*[/" ]([\w.]+)"\]$/m.exec(dockerfile)?.[1];
    expect(program).toBeTruthy();
    expect(recipe).toContain(program);
    expect(dockerfile).toMatch(/^USER 65532:65532$/m);
    for (const source of copied(dockerfile))
      expect(await Array.fromAsync(glob(source, { cwd: repo }))).not.toEqual([]);
  });

  test('recipe and Dockerfile of the worker take the same files', async () => {
    const dockerfile = await readFile(join(repo, 'cluster/images/worker.Dockerfile'), 'utf8');
    const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
    const paths = await Array.fromAsync(glob(copied(last), { cwd: repo }));
    const files = (await Promise.all(paths.map((path) => filesBelow(repo, path)))).flat();
    expect(files.sort()).toEqual((await workerSources(repo)).sort());
  });

  test("what is in the worker's image imports nothing of ours that is not", async () => {
    const files = await workerSources(repo);
    for (const file of files.filter((name) => name.endsWith('.ts'))) {
      const text = await readFile(join(repo, file), 'utf8');
      for (const [, to = ''] of text.matchAll(/ from '(\.[^']+)'/g))
        expect(files).toContain(join(dirname(file), to));
    }
  });
});

/** What is copied from the repository, not from another stage. */
function copied(dockerfile: string): string[] {
  return [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources = '']) =>
    sources.split(' '),
  );
}
