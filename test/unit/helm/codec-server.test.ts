/** The codec server in the chart: whoever it answers reads everything. */
import { describe, expect, test } from '@jest/globals';
import { codecServerSchema, readCodecServerConfig } from '../../../workers/codec-server-config.ts';
import { podTemplates } from './pod-templates.ts';
import { ciFiles, type KubeObject, named, renderChart, rendered } from './render-chart.ts';

const full = rendered(ciFiles.find(({ name }) => name === 'codec-server')?.file ?? '');
const sealed = { temporal: { address: 't:1', codec: { existingSecret: 'codec' } } };
const byToken = { enabled: true, token: { existingSecret: 'token' } };
const jwt = { jwksUrl: 'https://login.example.com/keys', issuer: 'i', audience: 'a' };

const theirs = (objects: KubeObject[]) =>
  objects
    .filter(({ metadata }) => metadata.name.endsWith('-codec-server'))
    .map(({ kind }) => kind)
    .sort();
function podOf(objects: KubeObject[]) {
  const [template] = podTemplates(objects).filter(({ owner }) => owner.endsWith('-codec-server'));
  const [container] = template?.pod.containers ?? [];
  if (template === undefined || container === undefined) throw new Error('there is no codec server');
  return { ...template, container };
}

test('there is none unless it is asked for', () => {
  expect(theirs(rendered(sealed))).toEqual([]);
  expect(theirs(full)).toEqual(['Deployment', 'NetworkPolicy', 'PodDisruptionBudget', 'Service']);
});

test('the chart can set every variable that it reads, and sets no other', () => {
  const set = podOf(full).container.env.map(({ name }) => name);
  expect(set.sort()).toEqual(Object.keys(codecServerSchema.shape).sort());
});

test('it has the keys that the workers have, from the same place', () => {
  const keysOf = (env: { name: string; valueFrom?: unknown }[]) =>
    env.find(({ name }) => name === 'PRISTINE_CODEC_KEYS')?.valueFrom;
  const wanted = { secretKeyRef: { name: 'codec', key: 'codec-keys' } };
  expect(keysOf(podOf(full).container.env)).toEqual(wanted);
  const workers = podTemplates(full).filter(({ pod }) => pod.containers[0]?.name === 'worker');
  expect(workers).toHaveLength(3);
  for (const { pod } of workers) expect(keysOf(pod.containers[0]?.env ?? [])).toEqual(wanted);
});

test.each([
  ['HTTP', {}],
  ['HTTPS', { tls: { existingSecret: 'tls' } }],
])('probes and Service find it where it listens, over %s', (scheme, more) => {
  const objects = rendered({ ...sealed, codecServer: { ...byToken, ...more } });
  const { container, labels } = podOf(objects);
  for (const probe of [container.startupProbe, container.livenessProbe, container.readinessProbe])
    expect(probe?.httpGet).toEqual({ path: '/healthz', port: 'codec', scheme });
  const env = Object.fromEntries(
    container.env.map(({ name, value }) => [name, value ?? `k1:${'s'.repeat(48)}`]),
  );
  const config = readCodecServerConfig(env);
  expect(container.ports).toEqual([{ name: 'codec', containerPort: config.listen.port }]);
  expect(config.tls === undefined).toBe(scheme === 'HTTP');
  const { spec } = named(objects, 'Service', '-codec-server');
  expect(spec).toMatchObject({ ports: [{ port: config.listen.port, targetPort: 'codec' }] });
  expect(labels).toMatchObject((spec as { selector: object }).selector);
});

describe('on the network', () => {
  const policy = (codecServer: object, networkPolicy: object = {}) =>
    named(
      rendered({ ...sealed, codecServer: { ...byToken, ...codecServer }, networkPolicy }),
      'NetworkPolicy',
      '-codec-server',
    ).spec;

  test('with a token it asks nobody for anything', () => {
    expect(policy({ port: 9000 })).toEqual({
      podSelector: {
        matchLabels: expect.objectContaining({ 'app.kubernetes.io/component': 'codec-server' }),
      },
      policyTypes: ['Ingress'],
      ingress: [{ ports: [{ protocol: 'TCP', port: 9000 }] }],
    });
  });

  test('it asks the issuer of tokens, and those ask who may', () => {
    const peers = (cidr: string) => [{ ipBlock: { cidr } }];
    expect(
      policy({ jwt }, { codecServerFrom: peers('192.0.2.1/32'), jwks: peers('192.0.2.2/32') }),
    ).toMatchObject({
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{ from: peers('192.0.2.1/32') }],
      egress: [{ ports: [{ protocol: 'TCP', port: 443 }], to: peers('192.0.2.2/32') }],
    });
  });

  test('no other hole is for it', () => {
    const others = full.filter(
      ({ kind, metadata }) => kind === 'NetworkPolicy' && !metadata.name.endsWith('-codec-server'),
    );
    expect(others.length).toBeGreaterThan(5);
    expect(JSON.stringify(others)).not.toContain('codec-server');
  });
});

describe('is refused', () => {
  const given = (codecServer: object, more: object = sealed) => ({ ...more, codecServer });
  test.each<[string, object]>([
    [
      'codecServer.enabled: needs temporal.codec.existingSecret',
      given(byToken, { temporal: { address: 't:1' } }),
    ],
    ['codecServer.token.existingSecret: must be set', given({ enabled: true })],
    ['codecServer.jwt.jwksUrl', given({ jwt: { ...jwt, jwksUrl: '' } })],
    ['codecServer.jwt.issuer', given({ ...byToken, jwt: { ...jwt, issuer: '' } })],
    ['codecServer.jwt.audience', given({ ...byToken, jwt: { ...jwt, audience: '' } })],
    ['codecServer.jwt.jwksUrl', given({ ...byToken, jwt: { claim: 'groups=security' } })],
    ['codecServer.podDisruptionBudget', given({ podDisruptionBudget: { minAvailable: 1 } })],
    ["at '/codecServer/jwt/jwksUrl'", given({ jwt: { ...jwt, jwksUrl: 'http://login.example.com/keys' } })],
    ["at '/codecServer/jwt/claim'", given({ jwt: { ...jwt, claim: 'groups' } })],
    ["at '/codecServer/origins/0'", given({ origins: ['https://temporal.example.com/'] })],
    ["at '/codecServer/origins/0'", given({ origins: ['*'] })],
    ["at '/codecServer/origins'", given({ origins: 'https://temporal.example.com' })],
    ["at '/codecServer/port'", given({ port: 443 })],
    ["at '/codecServer/replicas'", given({ replicas: 0 })],
    ["at '/codecServer/token'", given({ token: 'a-token-of-at-least-32-characters-long' })],
    ["at '/codecServer/token/existingSecret'", given({ token: { existingSecret: 'Not_A_Name' } })],
    ["at '/codecServer/tls/certKey'", given({ tls: { existingSecret: 'tls', certKey: '' } })],
  ])('%s', (path, values) => {
    const { problem, objects } = renderChart(values);
    expect(objects).toEqual([]);
    expect(problem).toContain(path);
  });

  test('and both ways to tell who asks are enough, each alone', () => {
    for (const way of [byToken, { enabled: true, jwt }])
      expect(theirs(rendered({ ...sealed, codecServer: way }))).toContain('Deployment');
  });
});
