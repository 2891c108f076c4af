/**
 * Pods that can't be made or can't start: nothing is counted, the scan says why, and goes on once it is mended. What
 * harms no other pod goes on at once, each with a worker of its own.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import { ctr } from '../../cluster/containerd.ts';
import { layoutOf } from '../../cluster/layout.ts';
import { PATIENCE } from '../../drivers/kubernetes/pod-trouble.ts';
import { type Progress, QUERY, UPDATE } from '../../workflows/contract.ts';
import { builtImage } from '../contract/stack.ts';
import { until } from '../contract/until.ts';
import { readManifest } from '../integration/oracle.ts';
import type { WorkerProcess } from '../integration/worker-process.ts';
import { type Bay, openBay } from './drivers.ts';
import { apply, kubectl } from './node-faults.ts';
import type { Places } from './places.ts';
import { faultyProfile, withProfiles } from './profiles.ts';
import { openScene, type Scene } from './scene.ts';

let scene: Scene;
let bay: Bay;
const namespaces: string[] = [];
beforeAll(async () => {
  scene = await openScene();
  bay = await openBay();
}, 600_000);
afterAll(async () => {
  for (const namespace of namespaces) await kubectl('delete', 'namespace', namespace, '--wait=false');
  await scene?.close();
  await bay?.close();
}, 600_000);

/** A scan of one file; with `retries: 0` a single counted attempt would quarantine it. */
async function begin(worker: WorkerProcess) {
  const place = scene.inFolders(worker);
  await place.put('one', `rebuild\n${worker.instance} ${Date.now()}\n`);
  return { place, scan: await scene.start(worker, place, { retries: 0 }) };
}

/** Resolves with the reason once the scan is in this state. */
async function reasonOnce(scan: WorkflowHandle, state: Progress['state']): Promise<string> {
  let reason: string | undefined;
  await until(async () => {
    const progress = await scan.query<Progress>(QUERY.progress).catch(() => undefined);
    reason = progress?.state === state ? progress.reason : undefined;
    return reason !== undefined;
  });
  return reason ?? '';
}

async function outcomeOf(place: Places, scan: WorkflowHandle) {
  await scan.result();
  const [line, ...others] = readManifest((await place.see()).destination, scan.workflowId);
  expect(others).toEqual([]);
  return line?.outcome;
}

test.concurrent('F23 an image that can not be pulled: the scan pauses and says which; once it is there and resumed, all is rebuilt', async () => {
  const missing = `pristine.local/missing:${randomUUID().slice(0, 8)}`;
  const layout = layoutOf(join(import.meta.dirname, '../..'), process.env);
  const worker = await scene.worker(withProfiles({ faulty: faultyProfile({ image: missing }) }));
  const { place, scan } = await begin(worker);
  expect(await reasonOnce(scan, 'paused')).toMatch(
    /engine can not start: (ErrImagePull|ImagePullBackOff): .*missing/,
  );
  // Whoever looks at it meanwhile finds no pod that waits in vain.
  await until(async () => (await scene.podsOf(worker)).length === 0);
  const tagged = await ctr(layout, ['images', 'tag', builtImage('engineFaulty'), missing]);
  expect(tagged.code).toBe(0);
  try {
    await scan.executeUpdate(UPDATE.resume);
    expect(await outcomeOf(place, scan)).toBe('rebuilt');
  } finally {
    await ctr(layout, ['images', 'remove', missing]);
  }
}, 600_000);

test.concurrent('F23 CreateContainerConfigError: a matter of configuration, in the kubelet’s words', async () => {
  const { pods } = bay.driver({
    waits: { patience: { ...PATIENCE, troubleMs: 2_000 } },
    manifest: (request) => {
      const pod = bay.manifest(request);
      for (const container of pod.spec?.initContainers ?? [])
        container.env = [{ name: 'X', valueFrom: { secretKeyRef: { name: 'no-such-secret', key: 'x' } } }];
      return pod;
    },
  });
  expect(await pods.await(await pods.create(bay.request('rebuild')))).toMatchObject({
    kind: 'failed',
    class: 'configuration',
    reason: expect.stringMatching(/fetch can not start: CreateContainerConfigError: .*no-such-secret/),
  });
});

test('F23 no node takes the pod: the scan waits in the scheduler’s words, and goes on when one does', async () => {
  const worker = await scene.worker(withProfiles({ faulty: faultyProfile({ startDeadlineSeconds: 8 }) }));
  await kubectl('cordon', 'pristine');
  let begun: Awaited<ReturnType<typeof begin>>;
  try {
    begun = await begin(worker);
    expect(await reasonOnce(begun.scan, 'waiting')).toMatch(/No node for the pod .*unschedulable/);
  } finally {
    await kubectl('uncordon', 'pristine');
  }
  expect(await outcomeOf(begun.place, begun.scan)).toBe('rebuilt');
}, 600_000);

/** A worker whose pods are in a namespace of its own, where it has the rights that it has in the usual one. */
async function inOwnNamespace() {
  const namespace = `pristine-test-${randomUUID().slice(0, 8)}`;
  namespaces.push(namespace);
  await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const role = JSON.parse(
    await kubectl('-n', 'pristine-files', 'get', 'role,rolebinding', 'pristine-worker', '-o', 'json'),
  );
  for (const { apiVersion, kind, rules, roleRef, subjects } of role.items)
    await apply({
      ...{ apiVersion, kind, rules, roleRef, subjects },
      metadata: { name: 'pristine-worker', namespace },
    });
  return { namespace, worker: await scene.worker({ PRISTINE_NAMESPACE: namespace }) };
}

test.concurrent('F23 a full quota: the scan waits with the numbers, and goes on when there is room', async () => {
  const { namespace, worker } = await inOwnNamespace();
  await apply({
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'none', namespace },
    spec: { hard: { pods: '0' } },
  });
  await until(async () => (await kubectl('-n', namespace, 'get', 'quota', 'none')).includes('pods: 0/0'));
  const { place, scan } = await begin(worker);
  expect(await reasonOnce(scan, 'waiting')).toMatch(/exceeded quota: none, .*used: pods=0, limited: pods=0/);
  await kubectl('-n', namespace, 'delete', 'quota', 'none');
  expect(await outcomeOf(place, scan)).toBe('rebuilt');
}, 600_000);

test.concurrent('F23 admission denies: the scan pauses with the policy’s words; once it is changed and resumed, all is rebuilt', async () => {
  const { namespace, worker } = await inOwnNamespace();
  const policy = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: namespace },
    spec: {
      matchConstraints: {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        resourceRules: [
          { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] },
        ],
      },
      validations: [{ expression: 'false', message: 'no pods on a Sunday' }],
    },
  };
  const binding = {
    ...{
      apiVersion: policy.apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: policy.metadata,
    },
    spec: { policyName: namespace, validationActions: ['Deny'] },
  };
  const probe = ['-n', namespace, 'run', 'probe', '--image=x', '--dry-run=server'];
  const denied = () =>
    kubectl(...probe).then(
      () => false,
      (error: Error) => /Sunday/.test(error.message),
    );
  try {
    await apply(policy);
    await apply(binding);
    // The API server takes a moment to know its own policies.
    await until(denied);
    const { place, scan } = await begin(worker);
    expect(await reasonOnce(scan, 'paused')).toMatch(/denied request: no pods on a Sunday/);
    await kubectl('delete', 'validatingadmissionpolicybinding', namespace);
    await until(async () => !(await denied()));
    await scan.executeUpdate(UPDATE.resume);
    expect(await outcomeOf(place, scan)).toBe('rebuilt');
  } finally {
    await kubectl('delete', 'validatingadmissionpolicybinding', namespace, '--ignore-not-found');
    await kubectl('delete', 'validatingadmissionpolicy', namespace, '--ignore-not-found');
  }
}, 600_000);
