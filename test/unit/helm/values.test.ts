import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { z } from 'zod';
import { profileSchema } from '../../../drivers/profile.ts';
import { chart, renderChart, rendered } from './render-chart.ts';

const minimal = { temporal: { address: 'temporal:7233' } };
const record = z.record(z.string(), z.unknown());
const values = record.parse(load(readFileSync(join(chart, 'values.yaml'), 'utf8')));
const schema = z
  .looseObject({ $defs: record })
  .parse(JSON.parse(readFileSync(join(chart, 'values.schema.json'), 'utf8')));

/** What an operator names themselves: labels, selectors, amounts. */
const FREE =
  /(nodeSelector|annotations|labels|podAnnotations|affinity|requests|limits|rollingUpdate|profiles)$/i;

/** Paths of the objects whose keys the chart knows. */
function sections(value: unknown, path: string[] = []): string[][] {
  const object = record.safeParse(value);
  if (!object.success || Array.isArray(value) || FREE.test(path.join('.'))) return [];
  return [path, ...Object.entries(object.data).flatMap(([key, below]) => sections(below, [...path, key]))];
}

/** The values with `typo` in every section. */
function withTypos(value: unknown, path: string[] = []): unknown {
  const object = record.safeParse(value);
  if (!object.success || Array.isArray(value) || FREE.test(path.join('.'))) return value;
  const below = Object.entries(object.data).map(([key, one]) => [key, withTypos(one, [...path, key])]);
  return { ...Object.fromEntries(below), tpyo: 1 };
}

describe('a key that there is not', () => {
  const { problem, objects } = renderChart(record.parse(withTypos(values)));

  const all = sections(values).map((path) => ({ name: path.join('.') || '(top)', path }));
  test.each(all)('is refused in $name', ({ path }) => {
    expect(objects).toEqual([]);
    const at = `at '${path.length === 0 ? '' : `/${path.join('/')}`}': additional properties 'tpyo' not allowed`;
    expect(problem).toContain(at);
  });

  test('there are sections enough for the rest to mean something', () => {
    expect(sections(values).length).toBeGreaterThan(50);
  });
});

describe('a value that makes no sense', () => {
  const root = (name: string, mountPath: string) => ({ name, mountPath, volume: { emptyDir: {} } });
  const folders = (more: object = {}, roots = [root('a', '/a')]) => ({
    ...minimal,
    files: { roots, ...more },
  });
  const role = (more: object) => ({ ...minimal, workers: { pods: more } });
  test.each<[string, object]>([
    ['temporal.address: must be set', {}],
    ["at '/temporal/address'", { temporal: { address: 'https://temporal:7233' } }],
    ['temporal.tls.keyKey', { temporal: { address: 't:1', tls: { existingSecret: 's', keyKey: '' } } }],
    ["at '/image/digest'", { ...minimal, image: { digest: 'sha256:123' } }],
    [
      "at '/profiles/default/engine/limit/memory'",
      { ...minimal, profiles: { default: { image: 'a', engine: { limit: { cpu: '1', memory: 'lots' } } } } },
    ],
    [
      "at '/profiles/default': additional properties 'imgae' not allowed",
      { ...minimal, profiles: { default: { image: 'a', imgae: 'b' } } },
    ],
    [
      "at '/profiles': additional properties 'No Name' not allowed",
      { ...minimal, profiles: { 'No Name': { image: 'a' } } },
    ],
    [
      "at '/redis/external/url'",
      { ...minimal, redis: { enabled: false, external: { url: 'redis://:password@host:6379' } } },
    ],
    ['redis.external.url: must be set', { ...minimal, redis: { enabled: false } }],
    ['redis.external: is of use only', { ...minimal, redis: { external: { url: 'redis://host:6379' } } }],
    [
      'redis.external.sentinels: not together',
      { ...minimal, redis: { enabled: false, external: { url: 'redis://h:1', sentinels: ['s:1'] } } },
    ],
    [
      'redis.external.sentinelMaster: must be set',
      { ...minimal, redis: { enabled: false, external: { sentinels: ['s:1'] } } },
    ],
    [
      'redis.external.cluster',
      {
        ...minimal,
        redis: { enabled: false, external: { sentinels: ['s:1'], sentinelMaster: 'm', cluster: true } },
      },
    ],
    [
      'redis.external.tls.existingSecret',
      {
        ...minimal,
        redis: { enabled: false, external: { url: 'redis://h:1', tls: { existingSecret: 's' } } },
      },
    ],
    [
      'redis.external.tls.keyKey',
      {
        ...minimal,
        redis: {
          enabled: false,
          external: { url: 'rediss://h:1', tls: { existingSecret: 's', certKey: 'c' } },
        },
      },
    ],
    ['etcd.endpoints: must be set', { ...minimal, index: { store: 'etcd' } }],
    [
      'etcd.endpoints: must be all',
      { ...minimal, index: { store: 'etcd' }, etcd: { endpoints: ['http://a:1', 'https://b:1'] } },
    ],
    [
      'etcd.tls.existingSecret',
      {
        ...minimal,
        index: { store: 'etcd' },
        etcd: { endpoints: ['http://a:1'], tls: { existingSecret: 's' } },
      },
    ],
    [
      "at '/files/roots/0/mountPath'",
      { ...minimal, files: { roots: [{ name: 'a', mountPath: 'srv', volume: { emptyDir: {} } }] } },
    ],
    [
      'files.roots[1].name: a stands there twice',
      {
        ...minimal,
        files: {
          roots: ['/a', '/b'].map((mountPath) => ({ name: 'a', mountPath, volume: { emptyDir: {} } })),
        },
      },
    ],
    ...['/a', '/a/'].map((mountPath): [string, object] => [
      'files.roots[1].mountPath: /a stands there twice',
      folders({}, [root('a', '/a'), root('b', mountPath)]),
    ]),
    ...['/tmp', '/app', '/etc/', '/..'].map((mountPath): [string, object] => [
      'files.roots[0].mountPath',
      folders({}, [root('a', mountPath)]),
    ]),
    ['files.server.port: 9464', folders({ server: { port: 9464 } })],
    ['workers.files.replicas: at least 1', { ...folders(), workers: { files: { replicas: 0 } } }],
    [
      'workers.files.autoscaling.minReplicas: at least 1',
      {
        ...folders(),
        workers: { files: { autoscaling: { minReplicas: 0, keda: { enabled: true } } } },
      },
    ],
    ...['https://mirror', 'mirror:port', '//mirror'].map((imageRegistry): [string, object] => [
      "at '/global/imageRegistry'",
      { ...minimal, global: { imageRegistry } },
    ]),
    [
      'etcd.tls.keyKey',
      {
        ...minimal,
        index: { store: 'etcd' },
        etcd: { endpoints: ['https://a:1'], tls: { existingSecret: 's', keyKey: '' } },
      },
    ],
    [
      'filePods.priorityClass.name: must be set',
      { ...minimal, filePods: { priorityClass: { create: false } } },
    ],
    [
      'workers.pods.autoscaling.keda.enabled',
      role({ autoscaling: { enabled: true, keda: { enabled: true } } }),
    ],
    [
      'workers.pods.autoscaling.minReplicas: must not be above',
      role({ autoscaling: { minReplicas: 9, maxReplicas: 2 } }),
    ],
    [
      'workers.pods.autoscaling.minReplicas: at least 1',
      role({ autoscaling: { enabled: true, minReplicas: 0 } }),
    ],
    ['workers.pods.podDisruptionBudget', role({ podDisruptionBudget: { minAvailable: 1 } })],
    [
      'workers.versioning.previous: is of use only',
      { ...minimal, workers: { versioning: { previous: [{ image: { tag: '1' } }] } } },
    ],
    [
      "workers.versioning.previous: 0.1.0 and 0-1-0 can't be told apart",
      {
        ...minimal,
        workers: { versioning: { enabled: true, previous: [{ buildId: '0-1-0', image: {} }] } },
      },
    ],
    ["at '/workers/pods/sweepSeconds'", role({ sweepSeconds: -1 })],
    ["at '/files/runAsUser'", { ...minimal, files: { runAsUser: 0 } }],
    ['filePods.namespace.name', { ...minimal, filePods: { namespace: { name: 'ns' } } }],
  ])('%s', (path, given) => {
    const { problem, objects } = renderChart(given);
    expect(objects).toEqual([]);
    expect(problem).toContain(path);
  });
});

test('a namespace whose file pods’ namespace would be too long is refused, unless that is named', () => {
  const long = 'n'.repeat(60);
  expect(renderChart(minimal, long).problem).toContain('filePods.namespace.name: must be set');
  expect(renderChart({ ...minimal, filePods: { namespace: { name: 'files' } } }, long).problem).toBe('');
});

test('without the policy the cluster’s own priority class will do', () => {
  const filePods = { priorityClass: { create: false }, admission: { enabled: false } };
  expect(renderChart({ ...minimal, filePods }).problem).toBe('');
});

test('names that YAML would take for numbers stay names', () => {
  const values = { ...minimal, filePods: { namespace: { name: '789' } } };
  const { objects, problem } = renderChart(values, '456', chart, '1e3');
  expect(problem).toBe('');
  const numbers: string[] = [];
  const look = (value: unknown, path: string) => {
    if (typeof value === 'number' && [1000, 456, 789].includes(value)) numbers.push(path);
    if (typeof value !== 'object' || value === null) return;
    for (const [key, one] of Object.entries(value)) look(one, `${path}.${key}`);
  };
  for (const object of objects) look(object, `${object.kind} ${object.metadata.name}`);
  expect(numbers).toEqual([]);
  expect(objects[0]?.metadata.labels?.['app.kubernetes.io/instance']).toBe('1e3');
});

test('profiles are checked as the workers check them', () => {
  const { $schema: _, ...wanted } = z.toJSONSchema(profileSchema, { io: 'input' });
  expect(schema.$defs.profile).toEqual(wanted);
});

test('no default is a secret, and none is made but Redis’ password and link keys', () => {
  const secrets = rendered({
    ...minimal,
    files: { roots: [{ name: 'a', mountPath: '/a', volume: { emptyDir: {} } }] },
  })
    .filter(({ kind }) => kind === 'Secret')
    .map(({ metadata, data }) => [
      metadata.name,
      Object.values(record.parse(data)).map((value) => String(value).length > 60),
    ]);
  expect(secrets).toEqual([
    ['r-pristine-link-keys', [true]],
    ['r-pristine-redis', [true]],
  ]);
});
