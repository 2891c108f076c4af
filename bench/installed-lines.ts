/** What installed workers take and cost, beside the worker on the host, as lines for a reader. */
import { sum } from './api-requests.ts';
import { barLine, perFile } from './cost-lines.ts';
import { bytesText, speedLines } from './figures.ts';
import type { IdleCost } from './idle.ts';

export type Side = 'host' | 'cluster';
export type Round = { side: Side; files: number; seconds: number };

/** Upper bounds: of the time of a scan against that of the host's worker, and of seconds. */
export const INSTALLED_BARS = { scan: 1.1, firstFile: 120 } as const;

const WHAT: Record<Side, string> = { host: 'worker on the host', cluster: 'workers in the cluster' };

/** The rounds in their order, each side's sum, and the two bars. */
export function installedLines(rounds: readonly Round[], firstFile: number): string[] {
  const total = (side: Side) => {
    const own = rounds.filter((round) => round.side === side);
    const all = (of: 'files' | 'seconds') => own.reduce((total, round) => total + round[of], 0);
    return { what: WHAT[side], files: all('files'), seconds: all('seconds') };
  };
  const [host, cluster] = [total('host'), total('cluster')];
  const ratio = cluster.seconds / cluster.files / (host.seconds / host.files);
  return [
    ...speedLines([host, cluster], WHAT.host),
    `    one after the other: ${rounds.map(({ side, seconds }) => `${side} ${seconds.toFixed(1)}`).join(', ')}`,
    '',
    `  ${''.padEnd(46)}${'figure'.padStart(9)}${'bar'.padStart(7)}`,
    barLine('scans in the cluster against the host', ratio, INSTALLED_BARS.scan),
    barLine('seconds from helm install to the first file', firstFile, INSTALLED_BARS.firstFile, 1),
  ];
}

/** A column a side, and below each count what it is made of. */
export function idleLines(costs: readonly IdleCost[]): string[] {
  const row = (what: string, cell: (cost: IdleCost) => string) =>
    `  ${what.padEnd(46)}${costs.map((cost) => cell(cost).padStart(11)).join('')}`;
  const rate = (what: string, count: (cost: IdleCost) => number) =>
    row(what, (cost) => (count(cost) / cost.seconds).toFixed(2));
  const parts = (of: 'requests' | 'commands') =>
    costs
      .filter((cost) => cost[of].size > 0)
      .map((cost) => `    ${cost.what}: ${perFile(cost[of], cost.seconds)}`);
  return [
    row('', ({ what }) => what),
    row('worker processes', ({ processes }) => `${processes}`),
    rate('requests to the Kubernetes API a second', ({ requests }) => sum(requests)),
    ...parts('requests'),
    rate('Redis commands a second', ({ commands }) => sum(commands)),
    ...parts('commands'),
    rate('polls of Temporal a second', ({ used }) => used.polls),
    rate('other requests to Temporal a second', ({ used }) => used.calls),
    row('CPU, % of a core', ({ used, seconds }) => ((used.cpuSeconds / seconds) * 100).toFixed(1)),
    row('memory of all processes', ({ used }) => bytesText(used.residentBytes)),
    `  Over ${costs.map(({ seconds }) => seconds.toFixed(0))[0] ?? 0} s. In the cluster the kubelet asks whether workers are ready, which asks Temporal,`,
    '  the index and the API server in turn; of these, only the requests to Temporal are not counted above.',
  ];
}
