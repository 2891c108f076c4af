/** Runs `helm template`: what a test looks at is what would be sent to a cluster. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { loadAll } from 'js-yaml';
import { z } from 'zod';

const repository = join(import.meta.dirname, '../../..');
export const chart = join(repository, 'helm/pristine');
export const efk = join(repository, 'helm/efk');
export const efkText = (file: string) => readFileSync(join(efk, file), 'utf8');
export const RELEASE = 'r';
export const NAMESPACE = 'ns';

/** As much of an object as every kind has. */
export const objectSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    labels: z.record(z.string(), z.string()).optional(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
});
export type KubeObject = z.infer<typeof objectSchema>;

/** Paths of ci/*-values.yaml, and their names. */
const ciFilesOf = (folder: string) =>
  readdirSync(join(folder, 'ci'))
    .sort()
    .map((file) => ({ name: file.replace('-values.yaml', ''), file: join(folder, 'ci', file) }));
export const ciFiles = ciFilesOf(chart);
export const efkCiFiles = ciFilesOf(efk);

export type Rendering = { yaml: string; objects: KubeObject[]; problem: string };

/** With values from a file, or given. Where Helm refuses, there are no objects and `problem` is what it said. */
export function renderChart(
  values: string | object,
  namespace = NAMESPACE,
  folder = chart,
  release = RELEASE,
): Rendering {
  const temporary = mkdtempSync(join(tmpdir(), 'pristine-chart-'));
  try {
    const file = typeof values === 'string' ? values : join(temporary, 'values.json');
    if (typeof values !== 'string') writeFileSync(file, JSON.stringify(values));
    const { stdout, stderr, status, error } = spawnSync(
      'helm',
      ['template', release, folder, '--namespace', namespace, '--include-crds', '--values', file],
      { encoding: 'utf8', env: environment(), maxBuffer: 2 ** 26 },
    );
    if (error) throw new Error('helm is not on the PATH: make up WAIT=1 builds it', { cause: error });
    if (status !== 0) return { yaml: '', objects: [], problem: stderr };
    return { yaml: stdout, objects: readObjects(stdout), problem: '' };
  } finally {
    rmSync(temporary, { recursive: true });
  }
}

/** What Helm prints. A template that makes nothing leaves an empty document. */
export function readObjects(yaml: string): KubeObject[] {
  return loadAll(yaml)
    .filter((document: unknown) => document !== null && document !== undefined)
    .map((document: unknown) => objectSchema.parse(document));
}

/** Throws with what Helm said. */
export function rendered(values: string | object, namespace = NAMESPACE): KubeObject[] {
  const { objects, problem } = renderChart(values, namespace);
  if (problem !== '') throw new Error(problem);
  return objects;
}

/** The one object of that kind whose name ends so. */
export function named(objects: KubeObject[], kind: string, ending: string): KubeObject {
  const found = objects.filter((one) => one.kind === kind && one.metadata.name.endsWith(ending));
  const [object] = found;
  if (object === undefined || found.length > 1) {
    throw new Error(`${found.length} objects ${kind} *${ending}, one was expected`);
  }
  return object;
}

/** Helm of this repository's stack goes before another. */
function environment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: [join(repository, '.pristine/bin'), process.env.PATH].join(delimiter) };
}
