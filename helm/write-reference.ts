/** `node helm/write-reference.ts`: writes README.md and images.txt of the chart anew. A test says when they are stale. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { z } from 'zod';
import { chartImages } from './chart-images.ts';
import { valuesReference } from './values-reference.ts';

const chartSchema = z.object({ appVersion: z.string() });

/** What the files of a chart's folder should hold, by name. */
export function referenceFiles(chart: string): Record<string, string> {
  const values = readFileSync(join(chart, 'values.yaml'), 'utf8');
  const { appVersion } = chartSchema.parse(load(readFileSync(join(chart, 'Chart.yaml'), 'utf8')));
  return {
    'README.md': `${HEAD}\n${valuesReference(values)}`,
    'images.txt': `${chartImages(load(values), appVersion).join('\n')}\n`,
  };
}

const HEAD = `# The pristine chart
Workers by role, file server, Redis with Bloom, and the namespace of the file pods. How to install, upgrade and remove
it: [docs/install.md](../../docs/install.md). Examples, one a feature: [ci/](ci).

## Values
\`values.schema.json\` refuses a key that is not listed here. This reference is made from the comments in \`values.yaml\` by
\`node helm/write-reference.ts\`.
`;

if (import.meta.main) {
  const chart = join(import.meta.dirname, 'pristine');
  for (const [name, content] of Object.entries(referenceFiles(chart)))
    writeFileSync(join(chart, name), content);
}
