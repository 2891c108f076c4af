import { describe, expect, test } from '@jest/globals';
import { podOutcome, podPhase } from '../../../../drivers/kubernetes/pod-outcome.ts';
import { slimPod } from '../../../../drivers/kubernetes/slim-pod.ts';
import type { PodPhase } from '../../../../drivers/ports.ts';
import {
  failed,
  type PodSketch,
  pod,
  podJson,
  rebuiltReport,
  running,
  succeeded,
  terminated,
  waiting,
} from './pod-json.ts';

/** By hand, after pkg/kubelet, pkg/controller/{podgc,tainteviction} and pkg/scheduler of Kubernetes 1.34. */
const disruption = (reason: string, message: string) => ({
  conditions: [{ type: 'DisruptionTarget', status: 'True', reason, message }],
});
const FAILED = { phase: 'Failed' };
const deletion = (at: string, grace: number) => ({
  deletionTimestamp: at,
  deletionGracePeriodSeconds: grace,
});

const BY_HAND: [string, PodSketch, Record<string, unknown> | null][] = [
  [
    'preempted by the scheduler',
    {
      fetch: terminated(0),
      engine: terminated(137),
      status: {
        ...FAILED,
        ...disruption(
          'PreemptionByScheduler',
          'default-scheduler: preempting to accommodate a higher priority pod',
        ),
      },
    },
    failed(
      'disruption',
      'PreemptionByScheduler: default-scheduler: preempting to accommodate a higher priority pod',
    ),
  ],
  [
    'preempted by the kubelet for a critical pod',
    {
      engine: terminated(137),
      status: { ...FAILED, reason: 'Preempting', message: 'Preempted in order to admit critical pod' },
    },
    failed('disruption', /Preempted in order to admit/),
  ],
  [
    'evicted for the node’s memory',
    {
      engine: terminated(137),
      status: {
        ...FAILED,
        reason: 'Evicted',
        message: 'The node was low on resource: memory. Threshold quantity: 100Mi, available: 80Mi. ',
        ...disruption('TerminationByKubelet', 'The node was low on resource: memory.'),
      },
    },
    failed('disruption', /low on resource/),
  ],
  [
    'evicted for the node’s disk by a kubelet that sets no condition',
    {
      status: { ...FAILED, reason: 'Evicted', message: 'The node was low on resource: ephemeral-storage. ' },
    },
    failed('disruption', /ephemeral-storage/),
  ],
  [
    'evicted for a container’s own disk use',
    {
      engine: terminated(137),
      status: {
        ...FAILED,
        reason: 'Evicted',
        message: 'Container engine exceeded its local ephemeral storage limit "64Mi". ',
      },
    },
    failed('resource', /ephemeral storage limit/),
  ],
  [
    'evicted for the pod’s own disk use',
    {
      status: {
        ...FAILED,
        reason: 'Evicted',
        message: 'Pod ephemeral local storage usage exceeds the total limit of containers 64Mi. ',
      },
    },
    failed('resource', /total limit of containers/),
  ],
  [
    'node lost: marked by the taint manager, and the node can not say more',
    {
      node: 'n',
      fetch: terminated(0),
      engine: running,
      metadata: deletion('2026-01-01T00:10:02Z', 2),
      status: {
        phase: 'Running',
        reason: 'NodeLost',
        ...disruption('DeletionByTaintManager', 'Taint manager: deleting due to NoExecute taint'),
      },
    },
    failed('disruption', 'The pod is being deleted: Taint manager: deleting due to NoExecute taint'),
  ],
  [
    'node gone: failed by the pod garbage collector',
    {
      engine: running,
      status: { ...FAILED, ...disruption('DeletionByPodGC', 'PodGC: node no longer exists') },
    },
    failed('disruption', 'DeletionByPodGC: PodGC: node no longer exists'),
  ],
  [
    'node shut down',
    {
      engine: terminated(137),
      status: {
        ...FAILED,
        reason: 'Terminated',
        message: 'Pod was terminated in response to imminent node shutdown.',
      },
    },
    failed('disruption', /imminent node shutdown/),
  ],
  [
    'node restarted: its container is unknown',
    {
      fetch: terminated(0),
      engine: terminated(137, {
        reason: 'ContainerStatusUnknown',
        message: 'The container could not be located when the pod was terminated',
        finishedAt: undefined,
      }),
      status: FAILED,
    },
    failed('disruption', /lost track of engine/),
  ],
  [
    'unexpected admission error',
    { status: { ...FAILED, reason: 'UnexpectedAdmissionError', message: 'Allocate failed' } },
    failed('disruption', /Allocate failed/),
  ],
  [
    'node without AppArmor',
    { status: { ...FAILED, reason: 'AppArmor', message: 'Cannot enforce AppArmor' } },
    failed('configuration', /Cannot enforce AppArmor/),
  ],
  ['failed without a word', { status: FAILED }, failed('disruption', /without a reason/)],
  [
    'container runtime in trouble',
    {
      fetch: terminated(128, {
        reason: 'StartError',
        message: 'failed to create shim: context deadline exceeded',
      }),
      status: FAILED,
    },
    failed('disruption', /fetch could not be started/),
  ],
  [
    'deadline in upload',
    {
      activeDeadlineSeconds: 300,
      fetch: terminated(0),
      engine: terminated(0),
      upload: terminated(143),
      status: { ...FAILED, reason: 'DeadlineExceeded' },
    },
    failed('transfer', 'The pod reached its deadline of 300 s: it was in upload.'),
  ],
  [
    'deadline in fetch',
    { fetch: terminated(137), status: { ...FAILED, reason: 'DeadlineExceeded' } },
    failed('transfer', 'The pod reached its deadline: it was in fetch.'),
  ],
  [
    'deadline while a node was busy',
    { fetch: waiting('PodInitializing'), status: { ...FAILED, reason: 'DeadlineExceeded' } },
    failed('capacity', /in fetch/),
  ],
  [
    'killed at its deadline, and the kubelet has not said so yet',
    { fetch: terminated(0), engine: terminated(137), status: { phase: 'Running' } },
    null,
  ],
  [
    'failed by itself before somebody deleted it',
    {
      fetch: terminated(0),
      engine: terminated(7, { finishedAt: '2026-01-01T00:00:04Z' }),
      metadata: deletion('2026-01-01T00:01:00Z', 2),
      status: FAILED,
    },
    failed('crash', 'The engine ended with exit code 7.'),
  ],
  [
    'killed because somebody deletes it',
    {
      fetch: terminated(0),
      engine: terminated(143, { finishedAt: '2026-01-01T00:00:59Z' }),
      metadata: deletion('2026-01-01T00:01:00Z', 2),
      status: FAILED,
    },
    failed('disruption', /somebody asked for it/),
  ],
  [
    'succeeded and then deleted',
    succeeded({ metadata: deletion('2026-01-01T00:01:00Z', 0) }),
    { kind: 'uploaded' },
  ],
  [
    'succeeded in spite of an eviction that did not happen',
    succeeded({ status: disruption('EvictionByEvictionAPI', 'Eviction API: evicting') }),
    { kind: 'uploaded' },
  ],
  [
    'about to be evicted, and still at work',
    { engine: running, status: disruption('EvictionByEvictionAPI', 'Eviction API: evicting') },
    null,
  ],
  [
    'OOM-killed before it was deleted',
    {
      engine: terminated(137, { reason: 'OOMKilled' }),
      metadata: deletion('2026-01-01T00:00:05Z', 2),
      status: { phase: 'Running' },
    },
    failed('resource', /more memory/),
  ],
  [
    'a process of the engine was OOM-killed, and the engine made it all the same',
    succeeded({ engine: terminated(0, { reason: 'OOMKilled' }) }),
    { kind: 'uploaded' },
  ],
  [
    'a process of the engine was OOM-killed, and it left nothing',
    {
      fetch: terminated(0),
      engine: terminated(0, { reason: 'OOMKilled' }),
      upload: terminated(20, { message: 'The engine left neither rebuilt nor refused.' }),
      status: FAILED,
    },
    failed('resource', /killed for memory/),
  ],
  [
    'upload found no room at the destination',
    {
      fetch: terminated(0),
      engine: terminated(0),
      upload: terminated(14, { message: 'The destination is full (HTTP 507).' }),
      status: FAILED,
    },
    failed('capacity', 'The destination is full (HTTP 507).'),
  ],
  [
    'upload refused its link',
    {
      fetch: terminated(0),
      engine: terminated(0),
      upload: terminated(12, { message: 'The destination refused the link (HTTP 403).' }),
      status: FAILED,
    },
    failed('disruption', /refused the link/, { fetch: 0, engine: 0, upload: 12 }),
  ],
  [
    'fetch died without a word',
    { fetch: terminated(1), status: FAILED },
    failed('transfer', 'fetch ended with exit code 1 and said nothing.'),
  ],
  [
    'engine refused without a word',
    { fetch: terminated(0), engine: terminated(3), status: FAILED },
    { kind: 'refused', reason: 'The engine gave no reason.' },
  ],
  [
    'engine that says it is the uploader',
    {
      fetch: terminated(0),
      engine: terminated(0, { message: rebuiltReport }),
      upload: terminated(0, { message: '' }),
      status: { phase: 'Succeeded' },
    },
    failed('transfer', /report can not be read/),
  ],
  [
    'Succeeded, but no container says so',
    { status: { phase: 'Succeeded' } },
    failed('transfer', /nothing shows that fetch ended well/),
  ],
  ['of a node that does not answer', { engine: running, status: { phase: 'Unknown' } }, null],
];

test.each(BY_HAND)('%s', (_, sketch, expected) => {
  const outcome = podOutcome(pod(sketch));
  if (expected) expect(outcome).toMatchObject(expected);
  else expect(outcome).toBeNull();
});

describe('exit codes of the engine', () => {
  const all = Array.from({ length: 255 }, (_, index) => index + 1);
  test('are a crash, all but 3', () => {
    const kinds = all.map((code) => {
      const outcome = podOutcome(pod({ fetch: terminated(0), engine: terminated(code), status: FAILED }));
      return outcome?.kind === 'failed' ? outcome.class : outcome?.kind;
    });
    expect(kinds.filter((kind) => kind !== 'crash')).toEqual(['refused']);
    expect(kinds[2]).toBe('refused');
  });
});

describe('hostile messages', () => {
  test('become one bounded line', () => {
    const message = `line one\n\u001b[31m\u202e${'x'.repeat(5_000)}`;
    for (const code of [3, 7]) {
      const outcome = podOutcome(
        pod({ fetch: terminated(0), engine: terminated(code, { message }), status: FAILED }),
      );
      const reason = outcome && 'reason' in outcome ? outcome.reason : '';
      expect(reason).toContain('\\u{1b}[31m\\u{202e}xxx');
      expect(reason.length).toBeLessThanOrEqual(500);
    }
  });

  test.each([
    ['no JSON', 'rebuilt'],
    ['another verdict', '{"verdict":"clean","files":[]}'],
    ['rebuilt without the file', '{"verdict":"rebuilt","files":[]}'],
    ['refused with the file', rebuiltReport.replace('"verdict":"rebuilt"', '"verdict":"refused"')],
    ['a file of another name', rebuiltReport.replace('"name":"rebuilt"', '"name":"../receipt.json"')],
    ['a hash that is none', rebuiltReport.replace(/[0-9a-f]{64}/, 'x')],
    ['a negative size', rebuiltReport.replace('"size":6', '"size":-1')],
    ['more than it may say', rebuiltReport.replace('{', '{"receipt":"mine",')],
    ['cut', rebuiltReport.slice(0, 60)],
  ])('an uploader that says %s has said nothing', (_, message) => {
    expect(podOutcome(pod(succeeded({ upload: terminated(0, { message }) })))).toMatchObject(
      failed('transfer', /report can not be read/),
    );
  });

  test('an image’s name is bounded and escaped too', () => {
    const imageID = `registry\n${'x'.repeat(5_000)}@sha256:${'0'.repeat(64)}`;
    const json = podJson(succeeded({ status: { initContainerStatuses: [{ name: 'engine', imageID }] } }));
    const digest = slimPod(json)?.engineImageId ?? '';
    expect(digest).toMatch(/^registry\\nx+…$/);
    expect(digest.length).toBeLessThanOrEqual(400);
  });

  test('the reason in a report is bounded and escaped', () => {
    const message = JSON.stringify({ verdict: 'refused', reason: `a\n\u0007${'b'.repeat(900)}`, files: [] });
    const outcome = podOutcome(pod(succeeded({ upload: terminated(0, { message }) })));
    expect(outcome).toMatchObject({ report: { reason: expect.stringMatching(/^a\\n\\u\{7\}b+…$/) } });
  });
});

test.each<[PodPhase, PodSketch]>([
  ['created', {}],
  ['scheduled', { node: 'n', fetch: waiting('PodInitializing') }],
  ['fetching', { fetch: running }],
  ['fetching', { fetch: terminated(13) }],
  ['engine', { fetch: terminated(0), engine: waiting('PodInitializing') }],
  ['engine', { fetch: terminated(0), engine: running }],
  ['engine', { fetch: terminated(0), engine: terminated(1) }],
  ['uploading', { fetch: terminated(0), engine: terminated(0) }],
  ['uploading', { fetch: terminated(0), engine: terminated(0), upload: running }],
])('phase %s', (phase, sketch) => {
  expect(podPhase(pod(sketch))).toBe(phase);
});
