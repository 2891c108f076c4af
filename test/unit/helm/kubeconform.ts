/** kubeconform's word on manifests, by the schemas that `make up` makes of what Kubernetes and the operators publish. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { builtFiles } from '../../../cluster/built.ts';
import { layoutOf } from '../../../cluster/layout.ts';
import { SCHEMA_PATH } from '../../../cluster/strict-schema.ts';
import { readVersions } from '../../../cluster/versions.ts';

const repository = join(import.meta.dirname, '../../..');

const reportSchema = z.object({
  resources: z.array(
    z.object({
      filename: z.string().transform((path) => basename(path, '.yaml')),
      kind: z.string(),
      name: z.string(),
      status: z.string(),
      msg: z.string(),
    }),
  ),
  summary: z.object({ valid: z.number(), invalid: z.number(), errors: z.number(), skipped: z.number() }),
});
export type Report = z.infer<typeof reportSchema>;

/**
 * Of YAML or JSON by name; each object comes with the name of its text. One run for many: reading the schemas takes
 * longer than judging by them. The schemas' place is a folder, so that nothing goes over a network.
 */
export function conform(manifests: Readonly<Record<string, string>>): Report {
  const { kubeconform, schemas } = builtFiles(layoutOf(repository, process.env), readVersions(repository));
  if (!existsSync(kubeconform) || !existsSync(schemas)) {
    throw new Error('kubeconform or its schemas are not there: make up WAIT=1 makes them');
  }
  const folder = mkdtempSync(join(tmpdir(), 'pristine-conform-'));
  try {
    for (const [name, text] of Object.entries(manifests)) writeFileSync(join(folder, `${name}.yaml`), text);
    const { stdout, stderr, error } = spawnSync(
      kubeconform,
      [
        ...['-strict', '-summary', '-verbose', '-output', 'json'],
        ...['-schema-location', join(schemas, SCHEMA_PATH), folder],
      ],
      { encoding: 'utf8', maxBuffer: 2 ** 26 },
    );
    if (error) throw error;
    if (stdout === '') throw new Error(stderr);
    const { resources, summary } = reportSchema.parse(JSON.parse(stdout));
    // What stands before a first `---` is listed without a status: nothing, which is not counted either.
    return { resources: resources.filter(({ status }) => status !== ''), summary };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
