/** What the admission policy remembers from one upgrade to the next: Helm looks it up, here at a server with that object only. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { chart, type KubeObject, NAMESPACE, named, RELEASE, readObjects, rendered } from './render-chart.ts';

const POLICY = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/ns-files.pristine.dev';
const minimal = { temporal: { address: 't:1' } };
let there: KubeObject | undefined;

/** What a server says of itself, as far as Helm asks: its version, and the kinds of all that the chart makes. */
const kinds = Map.groupBy(rendered(minimal), ({ apiVersion }) => apiVersion);
const answers = new Map<string, object>([
  ['/version', { major: '1', minor: '34', gitVersion: 'v1.34.0' }],
  ['/api', { kind: 'APIVersions', versions: ['v1'] }],
]);
const groups = [];
for (const [groupVersion, objects] of kinds) {
  const [version = '', name = ''] = groupVersion.split('/').reverse();
  if (name !== '') groups.push({ name, versions: [{ groupVersion, version }] });
  const resources = [...new Set(objects.map(({ kind }) => kind))].map((kind) => ({
    kind,
    name: kind === 'ValidatingAdmissionPolicy' ? 'validatingadmissionpolicies' : `${kind.toLowerCase()}s`,
    namespaced: !/^Validating/.test(kind),
    singularName: '',
    verbs: ['get'],
  }));
  answers.set(`${name === '' ? '/api' : '/apis'}/${groupVersion}`, {
    ...{ kind: 'APIResourceList', groupVersion, resources },
  });
}
answers.set('/apis', { kind: 'APIGroupList', apiVersion: 'v1', groups });

const folder = mkdtempSync(join(tmpdir(), 'pristine-pins-'));
const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? '', 'http://a');
  const found = pathname === POLICY ? there : answers.get(pathname);
  response.writeHead(found ? 200 : 404, { 'content-type': 'application/json' });
  response.end(
    JSON.stringify(
      found ?? { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404 },
    ),
  );
});
const kubeConfig = join(folder, 'config');
beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const cluster = { name: 'a', cluster: { server: `http://127.0.0.1:${port}` } };
  const context = { name: 'a', context: { cluster: 'a', user: 'a' } };
  const config = {
    clusters: [cluster],
    contexts: [context],
    'current-context': 'a',
    users: [{ name: 'a', user: {} }],
  };
  writeFileSync(kubeConfig, JSON.stringify({ apiVersion: 'v1', kind: 'Config', ...config }));
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  there = undefined;
});

/** The release becomes this; what is there then is its policy. */
async function upgrade(tag: string): Promise<void> {
  const values = {
    ...minimal,
    podImage: { tag },
    profiles: { default: { image: `engine:${tag}` } },
  };
  const file = join(folder, `${tag}.json`);
  writeFileSync(file, JSON.stringify(values));
  const args = [
    'template',
    RELEASE,
    chart,
    '--namespace',
    NAMESPACE,
    '--is-upgrade',
    '--dry-run=server',
    '--disable-openapi-validation',
    '--values',
    file,
  ];
  const { stdout } = await promisify(execFile)('helm', [...args, '--kubeconfig', kubeConfig], {
    maxBuffer: 2 ** 26,
  });
  there = named(readObjects(stdout), 'ValidatingAdmissionPolicy', '');
}
const admitted = (policy = there) => {
  const text = JSON.stringify(policy?.spec);
  const tags = (pattern: RegExp) => [...text.matchAll(pattern)].map(([, tag]) => tag);
  return { pods: tags(/pristine\/pod:(\w+)/g), engines: tags(/[^/]engine:(\w+)/g) };
};
const both = (...tags: string[]) => ({ pods: tags, engines: tags });

describe('the policy admits what workers may still make', () => {
  test('of the release before, and of the one before that: the last upgrade may have failed', async () => {
    for (const tag of ['a', 'b', 'c']) await upgrade(tag);
    expect(admitted()).toEqual(both('c', 'b', 'a'));
  });

  test('of five that differ, and no more', async () => {
    for (const tag of ['a', 'b', 'b', 'c', 'd', 'e', 'e', 'f']) await upgrade(tag);
    expect(admitted()).toEqual(both('f', 'e', 'd', 'c', 'b'));
    await upgrade('c');
    expect(admitted()).toEqual(both('c', 'f', 'e', 'd', 'b'));
  });

  test('of a chart that remembered one release only', async () => {
    await upgrade('a');
    const pins = JSON.parse(there?.metadata.annotations?.['pristine.dev/pins'] ?? '');
    if (there?.metadata.annotations)
      there.metadata.annotations['pristine.dev/pins'] = JSON.stringify(pins[0]);
    await upgrade('b');
    expect(admitted()).toEqual(both('b', 'a'));
  });
});

test('what the values name of earlier releases comes from the registry too', () => {
  const earlier = { podImages: ['pristine/pod:old'], profiles: [{ image: 'engine:old' }] };
  const policy = named(
    rendered({
      ...minimal,
      global: { imageRegistry: 'mirror' },
      filePods: { admission: { earlier } },
    }),
    'ValidatingAdmissionPolicy',
    '',
  );
  const text = JSON.stringify(policy.spec);
  expect(text).toContain('mirror/pristine/pod:old');
  expect(text).toContain('mirror/engine:old');
});
