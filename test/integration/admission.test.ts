/**
 * What a worker's token is good for, on the real API server: the file pods of its release, and nothing else. With it, as
 * RBAC, Pod Security and the admission policy of the chart stand.
 */
import https from 'node:https';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { KubeConfig } from '@kubernetes/client-node';
import { accessProblem, LOG_ACCESS, NEEDED_ACCESS } from '../../drivers/kubernetes/access.ts';
import { builtImage } from '../contract/stack.ts';
import { until } from '../contract/until.ts';
import { ROWS } from './admission-rows.ts';
import { type FilePodWorld, filePodWorld, profileOf } from './file-pod-world.ts';
import { tool } from './kubectl.ts';
import { openNamespace } from './without-rule.ts';

const RUNTIME_CLASS = 'pristine-test-admission';
const engine = builtImage('engineFaulty');
const PROFILES = {
  default: { image: 'pristine/engine:1' },
  command: {
    image: engine,
    command: ['/engine', '--x'],
    args: ['a "b"', "c'd", '$(HOME)\\\n'],
    env: { A: '<&>' },
  },
  disk: { image: engine, memoryBacked: false, runDeadlineSeconds: 3600, scratch: '1Gi' },
  sandbox: { image: engine, runtimeClassName: RUNTIME_CLASS, hostUsers: false },
  userns: { image: engine, hostUsers: false, env: { HOME: '/pristine/out' } },
  large: { image: engine, engine: { limit: { cpu: '8', memory: '900Mi' } }, maxTier: 4 },
};
const placed = {
  nodeSelector: { pool: 'files' },
  tolerations: [{ key: 'files', operator: 'Exists', effect: 'NoSchedule' }],
};

let world: FilePodWorld;
let open: Awaited<ReturnType<typeof openNamespace>>;
beforeAll(async () => {
  await tool(
    'kubectl',
    ['apply', '-f', '-'],
    JSON.stringify({
      apiVersion: 'node.k8s.io/v1',
      kind: 'RuntimeClass',
      metadata: { name: RUNTIME_CLASS },
      handler: 'runc',
      overhead: { podFixed: { memory: '16Mi' } },
      scheduling: { tolerations: [{ key: 'sandbox', operator: 'Exists' }], nodeSelector: { sandbox: 'yes' } },
    }),
  );
  world = await filePodWorld({
    profiles: PROFILES,
    filePods: placed,
    global: { imagePullSecrets: [{ name: 'pull' }] },
  });
  for (const namespace of [world.namespace])
    await tool('kubectl', ['-n', namespace, 'create', 'serviceaccount', 'other']);
  open = await openNamespace(world);
}, 180_000);
afterAll(async () => {
  await open?.close();
  await world?.close();
  await tool('kubectl', ['delete', 'runtimeclass', RUNTIME_CLASS, '--ignore-not-found']);
}, 120_000);

const more = { ...placed, imagePullSecrets: ['pull'] };
const filePod = () => world.filePod(profileOf(PROFILES.default), more);

describe('the pods that workers make are taken', () => {
  const tiers = Object.entries(PROFILES).flatMap(([name, settings]) => {
    const profile = profileOf(settings);
    return Array.from({ length: profile.maxTier + 1 }, (_, tier) => ({ name, tier, profile }));
  });
  test.each(tiers)('profile $name, size $tier', async ({ profile, tier }) => {
    expect(await world.tryPod(world.filePod(profile, { ...more, tier }))).toBe('ok');
  });

  test('and the worker may do all else that it does, those that only read logs that', async () => {
    expect(await accessProblem(world.worker, world.namespace, NEEDED_ACCESS)).toBeNull();
    expect(await accessProblem(world.files, world.namespace, LOG_ACCESS)).toBeNull();
  });
});

describe('a pod with one thing changed is denied', () => {
  test.each(ROWS)('$rule: $name', async ({ rule, change, also = false }) => {
    const pod = filePod();
    change(pod);
    const said = await world.tryPod(pod);
    // Where several things stop it, whichever is asked first speaks.
    expect(said).toMatch(
      also
        ? /^(403 Forbidden|422 .*disallowed by cluster policy)/
        : new RegExp(`^403 .*denied request: ${rule}: `),
    );
  });

  test('also for an administrator: the namespace is for file pods', async () => {
    const pod = filePod();
    for (const one of pod.spec?.initContainers ?? []) one.image = 'evil/miner:1';
    expect(await world.tryPod(pod, world.admin)).toMatch(/^403 .*denied request: programs: /);
  });

  test('and what is larger than the namespace allows', async () => {
    const profile = profileOf({ ...PROFILES.large, engine: { limit: { cpu: '64', memory: '900Mi' } } });
    expect(await world.tryPod(world.filePod(profile, more))).toMatch(/^403 .*maximum cpu usage per Pod is 8/);
  });
});

describe('without a rule, what it alone stops gets through', () => {
  const rules = [...new Set(ROWS.map(({ rule }) => rule))];

  test('every rule of the policy has rows', () => {
    expect(open.rules).toEqual(rules);
  });

  test.each(rules)('%s', async (rule) => {
    const alone = ROWS.filter((row) => row.rule === rule && row.also !== true);
    expect(alone.length).toBeGreaterThan(0);
    for (const { name, change } of alone) {
      const pod = filePod();
      change(pod);
      expect([name, await open.tryPod(pod, rule)]).toEqual([name, 'ok']);
    }
  });
});

describe('a worker’s token is of no other use', () => {
  const pod = (sub = '') => `/api/v1/namespaces/FILES/pods/some${sub}`;
  const rows: [method: string, path: string, body?: object][] = [
    ['GET', '/api/v1/namespaces/FILES/secrets'],
    ['GET', '/api/v1/namespaces/WORKERS/secrets'],
    ['GET', '/api/v1/namespaces/WORKERS/secrets/any'],
    ['POST', '/api/v1/namespaces/FILES/secrets', { metadata: { name: 'a' } }],
    ['GET', '/api/v1/namespaces/FILES/configmaps'],
    ['POST', pod('/exec?command=id&stdout=true')],
    ['GET', pod('/exec?command=id&stdout=true')],
    ['GET', pod('/attach')],
    ['GET', pod('/portforward')],
    ['GET', pod('/proxy')],
    ['PATCH', pod(), { metadata: { labels: { a: 'b' } } }],
    ['PUT', pod(), { metadata: { name: 'some' } }],
    ['PATCH', pod('/ephemeralcontainers'), { spec: { ephemeralContainers: [] } }],
    ['PATCH', pod('/status'), { status: { phase: 'Succeeded' } }],
    ['PATCH', pod('/resize'), { spec: {} }],
    ['POST', pod('/binding'), { target: { kind: 'Node', name: 'a' } }],
    ['POST', pod('/eviction'), {}],
    ['DELETE', '/api/v1/namespaces/FILES/pods'],
    ['GET', '/api/v1/namespaces/WORKERS/pods'],
    ['POST', '/api/v1/namespaces/WORKERS/pods', { metadata: { name: 'a' } }],
    ['POST', '/api/v1/namespaces/default/pods', { metadata: { name: 'a' } }],
    ['GET', '/api/v1/namespaces/kube-system/pods'],
    ['GET', '/api/v1/pods'],
    ['GET', '/api/v1/nodes'],
    [
      'PATCH',
      '/api/v1/namespaces/FILES',
      { metadata: { labels: { 'pod-security.kubernetes.io/enforce': null } } },
    ],
    ['DELETE', '/api/v1/namespaces/FILES/resourcequotas/r-pristine'],
    ['DELETE', '/apis/networking.k8s.io/v1/namespaces/FILES/networkpolicies/r-pristine-default-deny'],
    ['DELETE', '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/FILES.pristine.dev'],
    ['POST', '/api/v1/namespaces/FILES/serviceaccounts/default/token', {}],
    ['POST', '/api/v1/namespaces/WORKERS/serviceaccounts/r-pristine-pods/token', {}],
    ['POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/FILES/rolebindings', { metadata: { name: 'a' } }],
    ['POST', '/apis/apps/v1/namespaces/FILES/deployments', { metadata: { name: 'a' } }],
    ['POST', '/apis/batch/v1/namespaces/FILES/jobs', { metadata: { name: 'a' } }],
  ];
  test.each(rows.map(([method, path, body = {}]) => ({ method, path, body })))(
    '$method $path',
    async ({ method, path, body }) => {
      const at = path.replaceAll('FILES', world.namespace).replaceAll('WORKERS', world.workers);
      expect(await statusOf(world.workerConfig, method, at, body)).toMatch(/^403 .*cannot /);
    },
  );

  test('and that of the role that reads logs makes no pod', async () => {
    expect(await world.tryPod(filePod(), world.files)).toMatch(/^403 .*cannot create resource "pods"/);
  });
});

test('an upgrade goes on admitting what workers of the revisions before make, also after one that failed', async () => {
  const release = (tag: string) => ({
    profiles: { default: { image: `pristine/engine:${tag}` } },
    podImage: { tag },
    filePods: placed,
  });
  const podOf = (tag: string) =>
    world.filePod(profileOf({ image: `pristine/engine:${tag}` }), {
      ...placed,
      podImage: `pristine/pod:${tag}`,
    });
  const upgradeTo = async (tag: string) => {
    await world.upgrade(release(tag));
    await until(async () => (await world.tryPod(podOf(tag))) === 'ok');
  };
  await upgradeTo('2');
  expect(await world.tryPod(filePod())).toBe('ok');
  // 2 failed: the workers of the first release are there while 3 repairs it.
  await upgradeTo('3');
  for (const pod of [filePod(), podOf('2')]) expect(await world.tryPod(pod)).toBe('ok');
  // The same again pushes nobody out, and what is too old goes.
  await world.upgrade(release('3'));
  for (const tag of ['4', '5', '6']) await upgradeTo(tag);
  await until(async () => (await world.tryPod(filePod())) !== 'ok');
  expect(await world.tryPod(filePod())).toMatch(/denied request: programs: /);
  for (const tag of ['2', '3', '4', '5', '6']) expect(await world.tryPod(podOf(tag))).toBe('ok');
}, 120_000);

/** The status, and the API server's words. client-node's own requests know no PUT or PATCH of ours. */
async function statusOf(config: KubeConfig, method: string, path: string, body: object): Promise<string> {
  const options: https.RequestOptions = { method };
  await config.applyToHTTPSOptions(options);
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  options.headers = { ...options.headers, 'content-type': type };
  const server = config.getCurrentCluster()?.server ?? '';
  const answer = await new Promise<{ status?: number | undefined; text: string }>((resolve, reject) => {
    const sent = https.request(`${server}${path}`, options, async (response) => {
      resolve({ status: response.statusCode, text: (await response.toArray()).join('') });
    });
    sent.on('error', reject);
    sent.end(JSON.stringify(body));
  });
  return `${answer.status} ${answer.text.replaceAll('\\"', '"')}`;
}
