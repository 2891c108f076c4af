/** The fake, scripted to behave as the contract suite asks. */
import { createHash, randomUUID } from 'node:crypto';
import { podName } from '../../drivers/kubernetes/pod-name.ts';
import type { FilePodRequest, PodOutcome } from '../../drivers/ports.ts';
import { FakePods, type PodScript } from './fake-pods.ts';
import type { Behaviour, PodsHarness } from './pods-harness.ts';

const TIMES = {
  createdAt: '2026-01-01T00:00:00Z',
  startedAt: '2026-01-01T00:00:01Z',
  finishedAt: '2026-01-01T00:00:04Z',
  engineSeconds: 1,
};

function script(request: FilePodRequest): PodScript {
  const ended = (exitCodes: Record<string, number>) => ({ exitCodes, node: 'fake-node', times: TIMES });
  const failed = (
    klass: 'crash' | 'disruption' | 'resource' | 'transfer',
    exitCodes: Record<string, number>,
  ): PodOutcome => ({ kind: 'failed', class: klass, reason: 'as scripted', ...ended(exitCodes) });
  const well = ended({ fetch: 0, engine: 0, upload: 0 });
  const rebuilt = { name: 'rebuilt', size: request.size, sha256: request.sha256 } as const;
  const scripts: Record<Behaviour, PodScript> = {
    rebuild: {
      outcome: { kind: 'uploaded', report: { verdict: 'rebuilt', files: [rebuilt] }, ...well },
    },
    refuse: {
      outcome: {
        kind: 'uploaded',
        report: { verdict: 'refused', reason: 'refused on purpose', files: [] },
        ...well,
      },
    },
    'refuse-by-exit': {
      outcome: { kind: 'refused', reason: 'refused on purpose', ...ended({ fetch: 0, engine: 3 }) },
      last: 'engine',
      logs: { fetch: '', engine: 'working\nrefused on purpose\n' },
    },
    crash: { outcome: failed('crash', { fetch: 0, engine: 7 }), last: 'engine' },
    nothing: { outcome: failed('crash', { fetch: 0, engine: 0, upload: 20 }) },
    memory: { outcome: failed('resource', { fetch: 0, engine: 137 }), last: 'engine' },
    hang: { outcome: null, last: 'engine' },
    'reach-deadline': { outcome: failed('resource', { fetch: 0, engine: 137 }), last: 'engine' },
    changed: {
      outcome: { kind: 'changed', reason: 'as scripted', ...ended({ fetch: 10 }) },
      last: 'fetching',
    },
    'source-gone': {
      outcome: { kind: 'source-gone', reason: 'as scripted', ...ended({ fetch: 11 }) },
      last: 'fetching',
    },
    'link-refused': { outcome: failed('disruption', { fetch: 12 }), last: 'fetching' },
    'destination-away': { outcome: failed('transfer', { fetch: 0, engine: 0, upload: 13 }) },
  };
  // Only this harness makes requests here, and it names profiles after behaviours.
  return scripts[request.profile.name as Behaviour];
}

export async function fakePods(): Promise<PodsHarness> {
  const pods = new FakePods(script, { phaseMs: 2, terminationMs: 150 });
  const request = (behaviour: Behaviour, more: Partial<FilePodRequest> = {}): FilePodRequest => {
    const sha256 = createHash('sha256').update(randomUUID()).digest('hex');
    return {
      name: podName(sha256, '0123abcd', 1),
      scanId: 'scan-1',
      workflowId: `file-${sha256}`,
      runId: 'run-1',
      sha256,
      size: 6,
      attempt: 1,
      slot: 'a1-slot',
      profile: { name: behaviour, fingerprint: '0123abcd' },
      tier: 0,
      getUrl: 'http://files/get',
      putUrls: { rebuilt: 'http://files/1', 'report.xml': 'http://files/2', 'report.json': 'http://files/3' },
      ...more,
    };
  };
  return {
    pods,
    request,
    rebuiltSize: ({ size }) => size,
    plantForeign: async (name) => pods.plantForeign(request('hang', { name })),
    close: () => pods.close(),
  };
}
