import { describe, expect, test } from '@jest/globals';
import type { PodListing } from '../../../drivers/ports.ts';
import {
  OWNERS_PER_ROUND,
  type OwnerState,
  ownersToAsk,
  planSweep,
  type Seen,
  SHORTEST_RETENTION_MS,
  SUSPICION_MS,
  YOUNGEST_MS,
} from '../../../workers/sweep-plan.ts';

const NOW = Date.parse('2024-02-29T12:00:00Z');
const ago = (ms: number) => new Date(NOW - ms).toISOString();
const OLD = SHORTEST_RETENTION_MS + 1000;

const pod = (uid: string, changes: Partial<PodListing> = {}): PodListing => ({
  name: `pristine-x-0a0b0c0d-a1`,
  uid,
  workflowId: `file-${uid}`,
  runId: 'run-1',
  createdAt: ago(60_000),
  phase: 'Running',
  ...changes,
});
const attempt = (n: number) => `pristine-x-0a0b0c0d-a${n}`;

const open = (runId: string): OwnerState => ({ kind: 'open', runId });
const closed: OwnerState = { kind: 'closed' };
const unknown: OwnerState = { kind: 'unknown' };
const suspected = (ms: number): Seen => ({ askedAt: NOW - ms, suspectedAt: NOW - ms });

/** What becomes of the first of these pods, whose owner has this state, and which was suspected so long ago. */
function fate(pods: PodListing[], owner: OwnerState | undefined, suspectedMs?: number): string {
  const [first] = pods;
  if (first === undefined) throw new Error('no pod');
  const owners = new Map(owner ? [[first.workflowId, owner]] : []);
  const memory = new Map(suspectedMs === undefined ? [] : [[first.uid, suspected(suspectedMs)]]);
  const plan = planSweep(pods, owners, memory, NOW);
  if (plan.orphaned.includes(first)) return 'deleted';
  if (plan.suspected.includes(first)) return 'suspected';
  return plan.memory.get(first.uid)?.suspectedAt == null ? 'left' : 'still suspected';
}

describe('what becomes of a pod', () => {
  test.each<[string, PodListing[], OwnerState | undefined, number | undefined, string]>([
    ['whose run is open', [pod('a')], open('run-1'), undefined, 'left'],
    [
      'whose run is open and has made a higher attempt',
      [pod('a'), pod('b', { workflowId: 'file-a', name: attempt(2) })],
      open('run-1'),
      SUSPICION_MS,
      'left',
    ],
    ['whose run is open, suspected before', [pod('a')], open('run-1'), SUSPICION_MS, 'left'],
    ['whose workflow is closed', [pod('a')], closed, undefined, 'suspected'],
    ['closed, and so a moment ago', [pod('a')], closed, SUSPICION_MS - 1, 'still suspected'],
    ['closed, and so long ago', [pod('a')], closed, SUSPICION_MS, 'deleted'],
    ['that has ended, closed long ago', [pod('a', { phase: 'Succeeded' })], closed, SUSPICION_MS, 'deleted'],
    ['that is being deleted', [pod('a', { phase: 'Terminating' })], closed, undefined, 'left'],
    ['whose owner was not asked for', [pod('a')], undefined, undefined, 'left'],
    ['suspected, whose owner was not asked for', [pod('a')], undefined, OLD, 'still suspected'],
    ['that names no workflow', [pod('a', { workflowId: '' })], closed, OLD, 'still suspected'],
    ['that names no run', [pod('a', { runId: '' })], closed, undefined, 'left'],
    ['whose workflow nobody knows', [pod('a')], unknown, undefined, 'left'],
    ['the same, suspected before', [pod('a')], unknown, SUSPICION_MS, 'left'],
    [
      'nobody knows, older than retention',
      [pod('a', { createdAt: ago(OLD) })],
      unknown,
      undefined,
      'suspected',
    ],
    ['the same again', [pod('a', { createdAt: ago(OLD) })], unknown, SUSPICION_MS, 'deleted'],
    ['nobody knows, of unknown age', [pod('a', { createdAt: '' })], unknown, SUSPICION_MS, 'left'],
    ['of an earlier run, which the open one may adopt', [pod('a')], open('run-2'), SUSPICION_MS, 'left'],
    [
      'of an earlier run, passed by the open one',
      [pod('a'), pod('b', { workflowId: 'file-a', runId: 'run-2', name: attempt(2) })],
      open('run-2'),
      SUSPICION_MS,
      'deleted',
    ],
    [
      'of an earlier run, the higher attempt being of that run too',
      [pod('a'), pod('b', { workflowId: 'file-a', runId: 'run-1', name: attempt(2) })],
      open('run-2'),
      SUSPICION_MS,
      'left',
    ],
    [
      'of an earlier run, the open one still at a lower attempt',
      [pod('a', { name: attempt(3) }), pod('b', { workflowId: 'file-a', runId: 'run-2', name: attempt(2) })],
      open('run-2'),
      SUSPICION_MS,
      'left',
    ],
    [
      'of an earlier run, the higher attempt being of another content',
      [pod('a'), pod('b', { runId: 'run-2', name: attempt(2) })],
      open('run-2'),
      SUSPICION_MS,
      'left',
    ],
    [
      'of an earlier run, with a name that tells no attempt',
      [pod('a', { name: 'x' }), pod('b', { workflowId: 'file-a', runId: 'run-2', name: attempt(2) })],
      open('run-2'),
      SUSPICION_MS,
      'left',
    ],
  ])('one %s', (_, pods, owner, suspectedMs, expected) => {
    expect(fate(pods, owner, suspectedMs)).toBe(expected);
  });

  test('from round to round: suspected, waited for, deleted; what is gone is forgotten', () => {
    const owners = new Map([['file-a', closed]]);
    const at = (ms: number, memory: ReadonlyMap<string, Seen>, pods = [pod('a')]) =>
      planSweep(pods, owners, memory, NOW + ms);
    const first = at(0, new Map());
    expect(first.suspected.map(({ uid }) => uid)).toEqual(['a']);
    const second = at(1_000, first.memory);
    expect([second.suspected, second.orphaned]).toEqual([[], []]);
    const third = at(SUSPICION_MS, second.memory);
    expect(third.orphaned.map(({ uid }) => uid)).toEqual(['a']);
    expect(at(SUSPICION_MS, third.memory, []).memory.size).toBe(0);
  });

  test('a workflow that runs again in between clears the suspicion', () => {
    const closedOnce = planSweep([pod('a')], new Map([['file-a', closed]]), new Map(), NOW);
    const again = planSweep([pod('a')], new Map([['file-a', open('run-2')]]), closedOnce.memory, NOW + 1_000);
    const over = planSweep([pod('a')], new Map([['file-a', closed]]), again.memory, NOW + SUSPICION_MS);
    expect([over.suspected.length, over.orphaned.length]).toEqual([1, 0]);
  });
});

describe('whose owners Temporal is asked for', () => {
  test('no more than a round may ask, each once, and all of them in turn', () => {
    const pods = Array.from({ length: 2 * OWNERS_PER_ROUND + 10 }, (_, n) => pod(`pod-${n}`));
    let memory: ReadonlyMap<string, Seen> = new Map();
    const asked = new Set<string>();
    for (let round = 0; round < 3; round++) {
      const owners = ownersToAsk(pods, memory, NOW + round);
      expect(owners.length).toBeLessThanOrEqual(OWNERS_PER_ROUND);
      for (const owner of owners) asked.add(owner);
      memory = planSweep(
        pods,
        new Map(owners.map((owner) => [owner, open('run-1')])),
        memory,
        NOW + round,
      ).memory;
    }
    expect(asked.size).toBe(pods.length);
  });

  test('two attempts of one workflow are one question', () => {
    const pods = [pod('a'), pod('b', { workflowId: 'file-a', name: attempt(2) })];
    expect(ownersToAsk(pods, new Map(), NOW)).toEqual(['file-a']);
  });

  test('suspects come first, whatever was not asked for yet', () => {
    const pods = [pod('new'), pod('suspect')];
    expect(ownersToAsk(pods, new Map([['suspect', suspected(5_000)]]), NOW)).toEqual([
      'file-suspect',
      'file-new',
    ]);
  });

  test.each<[string, Partial<PodListing>]>([
    ['just made', { createdAt: ago(YOUNGEST_MS - 1) }],
    ['made by a clock ahead of ours', { createdAt: ago(-60_000) }],
    ['without an age', { createdAt: '' }],
    ['being deleted', { phase: 'Terminating' }],
    ['without a workflow', { workflowId: '' }],
  ])('not for a pod %s', (_, changes) => {
    expect(ownersToAsk([pod('a', changes)], new Map(), NOW)).toEqual([]);
  });
});
