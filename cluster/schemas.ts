import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { load } from 'js-yaml';
import { z } from 'zod';
import { publish } from './cache.ts';
import { run } from './command.ts';
import { goEnvironment } from './go-build.ts';
import { inputHash } from './images/inputs.ts';
import type { Layout } from './layout.ts';
import { OperatorError } from './operator-error.ts';
import type { Task } from './progress.ts';
import {
  crdSchema,
  type SchemaFile,
  schemasOfCustomResource,
  schemasOfKubernetes,
  swaggerSchema,
} from './strict-schema.ts';
import type { Versions } from './versions.ts';

type Source = {
  readonly module: string;
  readonly version: string;
  /** What the module's folder describes. */
  readonly read: (folder: string) => SchemaFile[];
};

/** The Go modules that carry descriptions of the objects that the charts make. */
export function schemaSources(versions: Versions): Source[] {
  return [
    {
      module: 'k8s.io/kubernetes',
      version: versions.KUBERNETES_VERSION,
      read: (folder) => {
        const text = readFileSync(join(folder, 'api/openapi-spec/swagger.json'), 'utf8');
        return schemasOfKubernetes(swaggerSchema.parse(JSON.parse(text)));
      },
    },
    {
      module: 'github.com/prometheus-operator/prometheus-operator',
      version: versions.PROMETHEUS_OPERATOR_VERSION,
      read: (folder) => customResourcesIn(join(folder, 'example/prometheus-operator-crd')),
    },
    {
      module: 'github.com/kedacore/keda/v2',
      version: versions.KEDA_VERSION,
      read: (folder) => customResourcesIn(join(folder, 'config/crd/bases')),
    },
  ];
}

/** Names what the schemas are made of and what made them: a change of either makes them anew. */
export function schemasVersion(versions: Versions): string {
  const makers = ['schemas.ts', 'strict-schema.ts'].map((file) =>
    readFileSync(join(import.meta.dirname, file)),
  );
  return [...schemaSources(versions).map(({ version }) => version), inputHash(...makers)].join('-');
}

/** Fetches the modules, each with the hash that go.sum pins, and makes kubeconform's schemas of them. */
export async function makeSchemas(
  layout: Layout,
  versions: Versions,
  folder: string,
  task: Task,
): Promise<void> {
  const temporary = mkdtempSync(join(layout.cache, '.making-'));
  try {
    for (const { module, version, read } of schemaSources(versions)) {
      task.update(`${module} ${version}`);
      for (const { path, schema } of read(await fetchModule(layout, module, version))) {
        mkdirSync(dirname(join(temporary, path)), { recursive: true });
        writeFileSync(join(temporary, path), JSON.stringify(schema));
      }
    }
    publish(temporary, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

const downloadSchema = z.object({ Dir: z.string().optional(), Error: z.string().optional() });

/** Returns its folder in Go's module cache. */
async function fetchModule(layout: Layout, module: string, version: string): Promise<string> {
  const { stdout, stderr } = await run('go', ['mod', 'download', '-json', `${module}@${version}`], {
    cwd: join(layout.repo, 'cluster/build/schemas'),
    env: goEnvironment,
  });
  const { Dir, Error: problem } = downloadSchema.parse(JSON.parse(stdout || '{}'));
  if (Dir !== undefined && problem === undefined) return Dir;
  throw new OperatorError(
    `The Go module ${module} ${version} can't be fetched: ${(problem ?? stderr).trim()} Run it again once that works.`,
  );
}

function customResourcesIn(folder: string): SchemaFile[] {
  return readdirSync(folder).flatMap((file) =>
    schemasOfCustomResource(crdSchema.parse(load(readFileSync(join(folder, file), 'utf8')))),
  );
}
