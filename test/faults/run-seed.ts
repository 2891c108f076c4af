/** One seed from its plan to the oracle's word. */
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowFailedError } from '@temporalio/client';
import { QUERY, type ScanSummary } from '../../workflows/contract.ts';
import { inflict } from './seed-faults.ts';
import {
  type Extra,
  expectEngineRunsOnce,
  expectNothingLeftBehind,
  expectSoundScan,
  type Finished,
} from './seed-oracle.ts';
import type { SeedPlan } from './seed-plan.ts';
import { openWorld, type Stage, type World } from './seed-world.ts';

export type SeedReport = { deaths: number; done: string[]; extras: Extra[] };

/** A scan that has not ended by then never will. */
const SCAN_MS = 15 * 60_000;

/** Throws with what does not hold, and with what had been done. */
export async function runSeed(plan: SeedPlan, stage: Stage): Promise<SeedReport> {
  const world = await openWorld(plan, stage);
  const over = new AbortController();
  let inflicting: Promise<string[]> | undefined;
  try {
    const scans = plan.destinations.map((destination, at) => ({
      destination,
      id: `${world.workers[0]?.process.instance}-${at + 1}`,
    }));
    for (const { id, destination } of scans) await start(world, plan, id, destination);
    inflicting = inflict(plan.faults, world, over.signal);
    const summaries = await Promise.all(scans.map(({ id }) => ended(world.client, id)));
    over.abort();
    const done = await inflicting;

    const seen = await world.places.see();
    const finished = scans.map(({ id, destination }, at): Finished => {
      const summary = summaries[at];
      if (summary === undefined) throw new Error('each scan has a summary');
      return {
        plan,
        world,
        source: seen.source,
        destination: folderOf(seen.destination, destination),
        scan: id,
        summary,
      };
    });
    for (const one of finished) expectSoundScan(one);
    const before = expectEngineRunsOnce({ plan, world });

    // Again, with nothing left to do.
    const [last] = finished;
    if (last === undefined) throw new Error('a plan has a scan');
    const runs = world.runs.filter(({ success }) => success).length;
    const scan = `${last.scan}-again`;
    await start(world, plan, scan, plan.destinations[0] ?? 1);
    const summary = await ended(world.client, scan);
    const again = { ...last, ...(await world.places.see()), scan, summary };
    expectSoundScan(again);
    expect(summary.outcomes).toMatchObject({ rebuilt: 0 });
    expect(world.runs.filter(({ success }) => success)).toHaveLength(runs);
    const extras = expectEngineRunsOnce({ plan, world });
    expect(extras).toEqual(before);
    await expectNothingLeftBehind(again);

    const deaths = world.workers.reduce((sum, worker) => sum + worker.deaths(), 0);
    await world.close();
    for (const { process } of world.workers) rmSync(process.folder, { recursive: true, force: true });
    return { deaths, done, extras };
  } catch (error) {
    over.abort();
    const done = await inflicting?.catch((failure: unknown) => [`a fault failed: ${failure}`]);
    const logs = world.workers.map(({ process }) => process.folder);
    await world.close().catch(() => undefined);
    throw new Error(`${done?.join('; ') ?? 'no fault'}; logs in ${logs[0]}`, { cause: error });
  }
}

/** Until Temporal has taken it. */
async function start({ client, places, workers }: World, plan: SeedPlan, workflowId: string, to: number) {
  const input = {
    source: places.source,
    destination: folderOf(places.destination, to),
    profile: 'faulty',
    failureLimit: false,
    ...plan.scan,
  };
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      await client.workflow.start('scan', {
        taskQueue: workers[0]?.process.taskQueue ?? '',
        workflowId,
        args: [input],
      });
      return;
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return;
      if (Date.now() > deadline) throw error;
      await sleep(500);
    }
  }
}

/** The second destination lies beside the first. */
function folderOf(destination: string, which: number): string {
  return which === 1 ? destination : destination.replace(/\/?$/, (end) => `-${which}${end}`);
}

async function ended(client: Client, workflowId: string): Promise<ScanSummary> {
  const handle = client.workflow.getHandle(workflowId);
  const deadline = Date.now() + SCAN_MS;
  const late = async () => {
    const progress = await handle.query(QUERY.progress).catch((error: unknown) => String(error));
    return new Error(`${workflowId} does not end: ${JSON.stringify(progress)}`);
  };
  for (;;) {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), Math.max(0, deadline - Date.now()));
    });
    try {
      const result = await Promise.race([handle.result() as Promise<ScanSummary>, patience]);
      if (result === 'late') throw await late();
      return result;
    } catch (error) {
      if (error instanceof WorkflowFailedError || Date.now() > deadline) throw error;
      // Temporal is away.
      await sleep(500);
    } finally {
      clearTimeout(timer);
    }
  }
}
