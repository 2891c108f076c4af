/** What workers cost while nobody wants anything of them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { auditMark, countRequests, requestsSince } from './api-requests.ts';
import type { CommandWatch } from './redis-commands.ts';
import { usedBetween, type WorkerMetrics, workerMetrics } from './worker-metrics.ts';

export type IdleSide = {
  what: string;
  /** Of each worker. */
  metricsUrls: readonly string[];
  commands: CommandWatch;
  /** Whether these workers go by that name at the API server. */
  isUser: (user: string) => boolean;
};

export type IdleCost = {
  what: string;
  processes: number;
  seconds: number;
  requests: Map<string, number>;
  commands: Map<string, number>;
  /** Of all processes together. */
  used: WorkerMetrics;
};

/** All sides over the same time. Nothing may be asked of them meanwhile. */
export async function idleCosts(
  auditLog: string,
  sides: readonly IdleSide[],
  seconds: number,
): Promise<IdleCost[]> {
  const mark = await auditMark(auditLog);
  if (mark === null) throw new Error(`There is no ${auditLog} to count requests in.`);
  const before = await Promise.all(sides.map(({ metricsUrls }) => readAll(metricsUrls)));
  for (const { commands } of sides) await commands.take();
  const began = performance.now();
  await sleep(seconds * 1000);
  const took = (performance.now() - began) / 1000;
  const taken = await Promise.all(sides.map(({ commands }) => commands.take()));
  const after = await Promise.all(sides.map(({ metricsUrls }) => readAll(metricsUrls)));
  const requests = await Array.fromAsync(requestsSince(auditLog, mark));
  return sides.map(({ what, metricsUrls, isUser }, side) => ({
    what,
    processes: metricsUrls.length,
    seconds: took,
    requests: countRequests(requests, isUser),
    commands: taken[side] ?? new Map(),
    used: usedBetween(before[side] ?? [], after[side] ?? []),
  }));
}

function readAll(urls: readonly string[]): Promise<WorkerMetrics[]> {
  return Promise.all(
    urls.map(async (url) => {
      const answer = await fetch(url);
      if (!answer.ok) throw new Error(`${url} answers with status ${answer.status}.`);
      return workerMetrics(await answer.text());
    }),
  );
}
