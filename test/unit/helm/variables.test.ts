import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { profilesSchema } from '../../../drivers/profile.ts';
import { codecServerSchema, readCodecServerConfig } from '../../../workers/codec-server-config.ts';
import { environmentSchema, readConfig } from '../../../workers/config.ts';
import { readDeploymentSettings } from '../../../workers/deployment-settings.ts';
import { readTemporalSettings } from '../../../workers/temporal-config.ts';
import { podTemplates } from './pod-templates.ts';
import { chart, ciFiles, type KubeObject, named, rendered } from './render-chart.ts';

const folder = mkdtempSync(join(tmpdir(), 'pristine-variables-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Read by the AWS SDK itself. */
const OF_THE_SDK = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];
/** Of Redis' own tools, in its pod. */
const OF_REDIS = ['REDISCLI_AUTH'];

/** Of the workers, and of the codec server, which shares some. */
const READ = new Set([...Object.keys(environmentSchema.shape), ...Object.keys(codecServerSchema.shape)]);

test('every variable of the configurations stands in the chart once, and every one of the chart is read', () => {
  const templates = readdirSync(join(chart, 'templates'), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(tpl|yaml)$/.test(file) && !/^(file-pods|tests)\//.test(file))
    .map((file) => readFileSync(join(chart, 'templates', file), 'utf8'));
  const set = templates.flatMap((text) =>
    [...text.matchAll(/- name: ([A-Z][A-Z0-9_]+)$/gm)].map(([, name]) => name),
  );
  expect(set.sort()).toEqual([...READ, ...OF_THE_SDK, ...OF_REDIS].sort());
});

const dataSchema = z.object({ 'profiles.json': z.string() });
function profilesOf(objects: KubeObject[]): string {
  return dataSchema.parse(named(objects, 'ConfigMap', '-profiles').data)['profiles.json'];
}

/** What stands in a Secret's place. */
const secretValue = (name: string) => (/_KEYS$/.test(name) ? `k1:${'s'.repeat(48)}` : 'a-secret-'.repeat(4));

describe.each(ciFiles)('$name', ({ file }) => {
  const objects = rendered(file);
  const profiles = join(folder, `${readdirSync(folder).length}.json`);
  writeFileSync(profiles, profilesOf(objects));

  test.each(podTemplates(objects).filter(({ pod }) => pod.containers[0]?.name === 'worker'))(
    '$owner starts with its variables',
    ({ pod, labels }) => {
      const env = Object.fromEntries(
        (pod.containers[0]?.env ?? []).map(({ name, value }) => [name, value ?? secretValue(name)]),
      );
      expect(env.PRISTINE_PROFILES_FILE).toBe('/etc/pristine/profiles/profiles.json');
      const config = readConfig({ ...env, PRISTINE_PROFILES_FILE: profiles });
      expect(config.roles).toEqual([labels['app.kubernetes.io/component']]);
      const role = config.roles[0];
      // A role gets no secret that it has no use for.
      if (role === 'orchestrate') expect(Object.keys(env)).not.toContain('AWS_SECRET_ACCESS_KEY');
      if (role === 'orchestrate') expect(config.fileServer.linkKeys).toBeUndefined();
      const ports = pod.containers[0]?.ports.map(({ name, containerPort }) => [name, containerPort]);
      expect(ports).toEqual([
        ['http', config.http.port],
        ...(config.fileServer.listen === undefined ? [] : [['files', config.fileServer.listen.port]]),
      ]);
    },
  );

  const variablesOf = (ending: string) =>
    podTemplates(objects)
      .filter(({ owner }) => owner.endsWith(ending))
      .map(({ pod }) =>
        Object.fromEntries(
          (pod.containers[0]?.env ?? []).map(({ name, value }) => [name, value ?? secretValue(name)]),
        ),
      );

  test('the Jobs reach Temporal with their variables', () => {
    for (const env of variablesOf('-search-attributes'))
      expect(readTemporalSettings(env).address).toMatch(/:7233$/);
    for (const env of variablesOf('-make-current'))
      expect(readDeploymentSettings(env).deployment.name).toBe('r-pristine');
  });

  test('the codec server starts with its variables, for the namespace of the workers', () => {
    const [worker] = variablesOf('-files');
    for (const env of variablesOf('-codec-server'))
      expect(readCodecServerConfig(env).namespace).toBe(worker?.TEMPORAL_NAMESPACE);
  });

  test('the profiles are what the workers read', () => {
    expect(Object.keys(profilesSchema.parse(JSON.parse(profilesOf(objects))))).toContain('default');
  });
});
