import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { loadKubeConfig } from '../../../../drivers/kubernetes/load-kube-config.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pristine-kubeconfig-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const kubeconfig = (name: string, more: { server?: string; user?: string; current?: string } = {}) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: more.server ?? `https://${name}.example:6443` } }],
    users: [{ name, user: { token: 'the-token' } }],
    contexts: [{ name, context: { cluster: name, user: more.user ?? name } }],
    'current-context': more.current ?? name,
  });
function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}
const NO_TOKEN = '/nonexistent/token';

test('reads the file that KUBECONFIG names', () => {
  const config = loadKubeConfig(file('one', kubeconfig('one')), NO_TOKEN);
  expect(config.getCurrentCluster()?.server).toBe('https://one.example:6443');
});

test('merges several; the first says which is current', () => {
  const paths = [file('one', kubeconfig('one')), '', file('two', kubeconfig('two'))].join(':');
  const config = loadKubeConfig(paths, NO_TOKEN);
  expect(config.getCurrentContext()).toBe('one');
  expect(config.getClusters().map(({ name }) => name)).toEqual(['one', 'two']);
});

test.each([
  ['nothing is set', () => undefined, /^No Kubernetes to talk to: set KUBECONFIG/],
  ['the file is not there', () => join(folder, 'missing'), /is not there; correct KUBECONFIG/],
  ['the file is no YAML', () => file('bad', '{ token: the-token'), /can not be read/],
  ['the context is unknown', () => file('ctx', kubeconfig('ctx', { current: 'x' })), /no current context/],
  ['the user is unknown', () => file('usr', kubeconfig('usr', { user: 'x' })), /no user/],
  [
    'the server is no URL',
    () => file('srv', kubeconfig('srv', { server: 'tcp://h' })),
    /not an http\(s\) URL/,
  ],
])('says what to do when %s', (_, path, message) => {
  expect(() => loadKubeConfig(path(), NO_TOKEN)).toThrow(
    expect.objectContaining({
      code: 'config.invalid',
      retryable: false,
      message: expect.stringMatching(message),
    }),
  );
});

test('a message never quotes a file, which holds keys', () => {
  const path = file('bad', '{ token: the-token');
  try {
    loadKubeConfig(path, NO_TOKEN);
  } catch (error) {
    expect(JSON.stringify(error) + String(error)).not.toContain('the-token');
  }
  expect.assertions(1);
});

test('a service account outside a cluster is no cluster', () => {
  // KUBERNETES_SERVICE_HOST is not set here.
  expect(() => loadKubeConfig(undefined, file('token', 'x'))).toThrow(
    expect.objectContaining({ code: 'config.invalid' }),
  );
});
