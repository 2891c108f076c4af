/** Does a plan's timed faults, and undoes each. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Pod } from '@kubernetes/client-node';
import { Redis } from 'ioredis';
import { filePodSelector } from '../../drivers/kubernetes/pod-labels.ts';
import { unlessGone } from './kwok.ts';
import type { TimedFault } from './seed-plan.ts';
import type { World } from './seed-world.ts';

const namespace = 'pristine-files';

/**
 * All of them, each at its time, or once an earlier one of its kind is undone: what is down can't go down. Those whose
 * time comes after `over` do not happen. What was done, in words.
 */
export async function inflict(
  faults: readonly TimedFault[],
  world: World,
  over: AbortSignal,
): Promise<string[]> {
  const began = Date.now();
  const done: string[] = [];
  const inTurn = async (ofOneKind: TimedFault[]) => {
    for (const fault of ofOneKind.sort((a, b) => a.afterMs - b.afterMs)) {
      const left = Math.max(0, began + fault.afterMs - Date.now());
      await sleep(left, undefined, { signal: over }).catch(() => undefined);
      if (over.aborted) return;
      const after = Date.now() - began;
      done.push(`${await act(fault, world, over)} after ${after} ms`);
    }
  };
  const kinds = Object.values(Object.groupBy(faults, ({ kind }) => kind));
  await Promise.all(kinds.map(inTurn));
  return done;
}

/** Resolves once it is undone. */
async function act(fault: TimedFault, world: World, over: AbortSignal): Promise<string> {
  switch (fault.kind) {
    case 'kill':
      world.workers[fault.worker]?.process.signal('SIGKILL');
      return `worker ${fault.worker} killed`;
    case 'stop': {
      const worker = world.workers[fault.worker]?.process;
      worker?.signal('SIGSTOP');
      await sleep(fault.forMs);
      worker?.signal('SIGCONT');
      return `worker ${fault.worker} stopped for ${fault.forMs} ms`;
    }
    case 'redis-kill':
      await world.redis?.kill();
      await sleep(fault.forMs);
      await world.redis?.start();
      return `Redis killed for ${fault.forMs} ms`;
    case 'flushall':
      return (await flushAll(world)) ? 'FLUSHALL' : 'no FLUSHALL: Redis was away';
    case 'temporal-kill':
      await world.temporal?.kill();
      await sleep(fault.forMs);
      await world.temporal?.start();
      return `Temporal killed for ${fault.forMs} ms`;
    case 'api':
      world.api?.turn(fault.weather);
      await sleep(fault.forMs);
      world.api?.turn('fair');
      return `API server ${fault.weather} for ${fault.forMs} ms`;
    case 'pod-delete':
      return deleteSomePod(fault.force, world, over);
  }
}

async function flushAll({ redisUrl }: World): Promise<boolean> {
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: 1, retryStrategy: () => null });
  redis.on('error', () => {});
  try {
    await redis.flushall();
    return true;
  } catch {
    return false;
  } finally {
    redis.disconnect();
  }
}

/** The youngest pod that there is, once there is one. */
async function deleteSomePod(force: boolean, world: World, over: AbortSignal): Promise<string> {
  const labelSelector = filePodSelector(world.workers[0]?.process.instance ?? '');
  while (!over.aborted) {
    const { items } = await world.cluster.listNamespacedPod({ namespace, labelSelector });
    const age = (pod: V1Pod) => Number(pod.metadata?.creationTimestamp ?? 0);
    const pod = items.sort((a, b) => age(b) - age(a)).find(({ metadata }) => !metadata?.deletionTimestamp);
    const { name, uid } = pod?.metadata ?? {};
    if (name === undefined || uid === undefined) {
      await sleep(100);
      continue;
    }
    world.deleted.add(uid);
    await world.cluster
      .deleteNamespacedPod({
        name,
        namespace,
        body: { preconditions: { uid }, ...(force && { gracePeriodSeconds: 0 }) },
      })
      .catch(unlessGone);
    return `pod ${name} deleted${force ? ' by force' : ''}`;
  }
  return 'no pod to delete';
}
