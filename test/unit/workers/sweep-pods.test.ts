import { describe, expect, test } from '@jest/globals';
import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { PodListing } from '../../../drivers/ports.ts';
import type { OwnerState } from '../../../workers/sweep-plan.ts';
import { createPodSweep, startSweeping, temporalOwner } from '../../../workers/sweep-pods.ts';
import { recordingLog } from '../drivers/kubernetes/recording-log.ts';

const never = new AbortController().signal;

function sweeping(owners: Record<string, OwnerState | Error>) {
  const pods: PodListing[] = Object.keys(owners).map((owner) => ({
    name: `pristine-${owner}-a1`,
    uid: `uid-${owner}`,
    workflowId: owner,
    runId: 'run-1',
    createdAt: new Date(0).toISOString(),
    phase: 'Running',
  }));
  const removed: string[] = [];
  const asked: string[] = [];
  const clock = { now: 1_000_000 };
  const log = recordingLog();
  const sweep = createPodSweep({
    pods: {
      list: async () => pods,
      remove: async ({ uid }) => {
        removed.push(uid);
        pods.splice(
          pods.findIndex((pod) => pod.uid === uid),
          1,
        );
      },
    },
    ownerOf: async (workflowId) => {
      asked.push(workflowId);
      const owner = owners[workflowId];
      if (owner === undefined || owner instanceof Error) throw owner ?? new Error('nobody');
      return owner;
    },
    logger: log,
    now: () => clock.now,
  });
  return { sweep, removed, asked, clock, owners, log };
}

describe('a round of the pod sweeper', () => {
  test('deletes what is closed in two rounds, and leaves the rest', async () => {
    const { sweep, removed, clock, log } = sweeping({
      over: { kind: 'closed' },
      alive: { kind: 'open', runId: 'run-1' },
    });
    await sweep(never);
    expect(removed).toEqual([]);
    clock.now += 60_000;
    await sweep(never);
    expect(removed).toEqual(['uid-over']);
    expect(log.events).toEqual(['pod.suspected', 'pod.orphaned']);
  });

  test('deletes nothing while one owner can not be told, also not what it knows to be over', async () => {
    const { sweep, removed, clock, owners } = sweeping({ a: { kind: 'closed' }, b: { kind: 'closed' } });
    await sweep(never);
    clock.now += 60_000;
    owners.b = new Error('Temporal is away');
    await expect(sweep(never)).rejects.toThrow('Temporal is away');
    expect(removed).toEqual([]);
    owners.b = { kind: 'closed' };
    await sweep(never);
    expect(removed).toEqual(['uid-a', 'uid-b']);
  });

  test('asks no more once it is to stop', async () => {
    const { sweep, asked } = sweeping({ a: { kind: 'closed' } });
    await expect(sweep(AbortSignal.abort())).rejects.toThrow();
    expect(asked).toEqual([]);
  });
});

describe('what Temporal says', () => {
  const client = (describe: () => Promise<unknown>) =>
    ({
      withDeadline: (_: number, run: () => unknown) => run(),
      workflow: { getHandle: () => ({ describe }) },
    }) as unknown as Client;

  test.each([
    ...['COMPLETED', 'FAILED', 'CANCELLED', 'TERMINATED', 'TIMED_OUT'].map((name) => [name, 'closed']),
    ...['RUNNING', 'PAUSED', 'CONTINUED_AS_NEW', 'UNSPECIFIED', 'UNKNOWN', 'SOMETHING_NEW'].map((name) => [
      name,
      'open',
    ]),
  ])('%s is %s', async (name, kind) => {
    const owner = await temporalOwner(client(async () => ({ status: { name }, runId: 'run-1' })))('file-a');
    expect(owner.kind).toBe(kind);
  });

  test('not found is unknown; anything else that goes wrong is no answer', async () => {
    const notFound = temporalOwner(client(() => Promise.reject(new WorkflowNotFoundError('', 'file-a', ''))));
    expect(await notFound('file-a')).toEqual({ kind: 'unknown' });
    const away = temporalOwner(client(() => Promise.reject(new Error('UNAVAILABLE'))));
    await expect(away('file-a')).rejects.toThrow('UNAVAILABLE');
  });
});

describe('the rounds', () => {
  test('a round that fails is told, the next one comes, and none after the stop', async () => {
    const log = recordingLog();
    let rounds = 0;
    const sweeper = startSweeping(
      async () => {
        rounds += 1;
        if (rounds === 1) throw new Error('away');
      },
      { intervalMs: 5, logger: log },
    );
    while (rounds < 3) await new Promise((resolve) => setTimeout(resolve, 1));
    await sweeper.stop();
    const stoppedAt = rounds;
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(rounds).toBe(stoppedAt);
    expect(log.events).toEqual(['sweep.failed']);
  });
});
