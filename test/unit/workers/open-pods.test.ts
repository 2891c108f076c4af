import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { readConfig } from '../../../workers/config.ts';
import { openPods } from '../../../workers/open-pods.ts';
import { scriptedApiServer } from '../drivers/kubernetes/scripted-api-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'pristine-pods-'));
const kubeconfig = join(folder, 'kubeconfig');
const log = { debug() {}, info() {}, warn() {}, error() {} };
const review = z.object({
  spec: z.object({
    resourceAttributes: z.object({
      verb: z.string(),
      resource: z.string(),
      subresource: z.string().optional(),
    }),
  }),
});
let asked: string[] = [];
let server: Awaited<ReturnType<typeof scriptedApiServer>>;

// An API server that allows reading logs and nothing else.
beforeAll(async () => {
  server = await scriptedApiServer(({ method, body }) => {
    if (method === 'GET') return { json: { kind: 'Namespace' } };
    const { verb, resource, subresource } = review.parse(body).spec.resourceAttributes;
    asked.push(`${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`}`);
    return { status: 201, json: { status: { allowed: subresource === 'log' } } };
  });
  writeFileSync(kubeconfig, server.kubeConfig.exportConfig());
  writeFileSync(join(folder, 'profiles.json'), '{"default":{"image":"engine:1"}}');
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const podsOf = (roles: string, more: Record<string, string> = {}) =>
  openPods(
    readConfig({
      TEMPORAL_ADDRESS: 'temporal:7233',
      REDIS_URL: 'redis://redis:6379',
      PRISTINE_POD_IMAGE: 'pod:1',
      PRISTINE_PROFILES_FILE: join(folder, 'profiles.json'),
      PRISTINE_ROLES: roles,
      ...more,
    }),
    log,
  );

test('a worker that only runs workflows needs no cluster, and says so when it is asked for one', async () => {
  const pods = podsOf('orchestrate');
  await expect(pods.check()).rejects.toMatchObject({ code: 'config.invalid' });
  await pods.close();
});

test('files and pods need one', () => {
  expect(() => podsOf('files')).toThrow('No Kubernetes to talk to');
  expect(() => podsOf('orchestrate,pods')).toThrow('No Kubernetes to talk to');
});

test('files asks for nothing but logs, pods for all that it does', async () => {
  asked = [];
  const files = podsOf('files', { KUBECONFIG: kubeconfig });
  await files.check();
  await files.close();
  expect(asked).toEqual(['get pods/log']);

  asked = [];
  const pods = podsOf('files,pods', { KUBECONFIG: kubeconfig });
  await expect(pods.check()).rejects.toMatchObject({
    code: 'kubernetes.forbidden',
    message: expect.stringContaining('create pods'),
  });
  await pods.close();
  expect(asked.sort()).toEqual([
    'create pods',
    'delete pods',
    'get pods',
    'get pods/log',
    'list pods',
    'watch pods',
  ]);
});
