/** What files cost, as lines for a reader: each figure with its bar, and what it is made of. */
import { type OwnRequests, sum } from './api-requests.ts';
import { bytesText, median } from './figures.ts';
import {
  type ActivityTime,
  activityTimes,
  type EventFamilies,
  eventFamilies,
  type Run,
} from './histories.ts';
import type { Least } from './least-work.ts';
import { memoryCourse } from './memory.ts';

/** Upper bounds, per file unless it says otherwise. */
export const BARS = {
  redisNew: 3,
  redisKnown: 0.01,
  requests: 2.2,
  childEvents: 41,
  parentEvents: 3,
  /** Of the time of find and the index together. */
  knownScan: 3,
} as const;

const WHAT = 46;

/** `  <what>  <value>  <bar>  met`. */
export function barLine(what: string, value: number, bar: number, digits = 2): string {
  const verdict = value <= bar ? 'met' : 'MISSED';
  return `  ${what.padEnd(WHAT)}${value.toFixed(digits).padStart(9)}${`${bar}`.padStart(7)}  ${verdict}`;
}

const heading = `  ${''.padEnd(WHAT)}${'figure'.padStart(9)}${'bar'.padStart(7)}`;

/** `claim 1.00, add 1.00`, the most first. */
export function perFile(counts: ReadonlyMap<string, number>, files: number): string {
  const parts = [...counts].sort(([, a], [, b]) => b - a);
  const digits = (share: number) => (share < 0.1 ? 3 : 2);
  return parts
    .map(([what, number]) => `${what} ${(number / files).toFixed(digits(number / files))}`)
    .join(', ');
}

/** A child's events, how many pods it made, and how many workflow tasks were not answered the first time. */
export type ChildHistory = { events: number; pods: number; lostTasks: number };

export type NewFileCosts = {
  files: number;
  commands: ReadonlyMap<string, number>;
  requests: OwnRequests | null;
  children: readonly ChildHistory[];
  runs: readonly Run[];
};

export function newFileLines({ files, commands, requests, children, runs }: NewFileCosts): string[] {
  const once = children
    .filter(({ pods, lostTasks }) => pods === 1 && lostTasks === 0)
    .map(({ events }) => events);
  const parent = parentEvents(runs);
  const rest = new Map(Object.entries(parent).filter(([family]) => family !== 'child'));
  return [
    heading,
    barLine('Redis round trips a file', sum(commands) / files, BARS.redisNew),
    `    ${perFile(commands, files)}`,
    ...requestLines(requests, files),
    barLine('history events of a child, the most', Math.max(...once), BARS.childEvents, 0),
    `    median ${median(once)}, of the ${once.length} of ${children.length} children that needed one pod and lost no workflow task`,
    barLine('history events of the scan about a child', parent.child / files, BARS.parentEvents),
    `    beside these, a file: ${perFile(rest, files)}`,
  ];
}

/** All runs of the scan together. */
export function parentEvents(runs: readonly Run[]): EventFamilies {
  return eventFamilies(runs.flatMap(({ events }) => events.map(({ type }) => type)));
}

function requestLines(requests: OwnRequests | null, files: number): string[] {
  if (requests === null) return ['  There is no audit log, so that API requests are not counted.'];
  const { logs, access, other, files: own } = requests;
  return [
    barLine('requests to the Kubernetes API a file', sum(own) / files, BARS.requests),
    `    ${perFile(own, files)}`,
    `    beside these, a file: reading logs ${perFile(logs, files)}; when the scan opens ${perFile(access, files)}` +
      `; any other ${sum(other)} in all`,
  ];
}

export type KnownCosts = {
  files: number;
  seconds: number;
  /** Of the worker. */
  processorSeconds: number;
  commands: ReadonlyMap<string, number>;
  runs: readonly Run[];
  /** Seconds: the two scans of these files before this one, and a scan of an empty folder. */
  others: { first: number; second: number; empty: number };
  least: Least;
};

export function knownFileLines({
  files,
  seconds,
  processorSeconds,
  commands,
  runs,
  others,
  least,
}: KnownCosts): string[] {
  const { find, hash, lookUp, copy } = least;
  const line = (what: string, took: number) => `  ${what.padEnd(WHAT)}${took.toFixed(3).padStart(9)}`;
  const side = (what: string, took: number) =>
    `  ${what.padEnd(WHAT)}${took.toFixed(3).padStart(9)}${(seconds / took).toFixed(1).padStart(9)}`;
  return [
    heading,
    '  0 pods and 0 children, or this bench would have failed.',
    barLine('Redis round trips a file', sum(commands) / files, BARS.redisKnown, 4),
    `    ${[...commands].map(([what, number]) => `${number} ${what}`).join(', ')}`,
    barLine('time against find and the index', seconds / (find + lookUp), BARS.knownScan, 1),
    '',
    `  ${''.padEnd(WHAT)}${'seconds'.padStart(9)}${'Pristine'.padStart(9)}`,
    side('find -printf + index', find + lookUp),
    side('find -printf + index + sha256sum', find + lookUp + hash),
    side('find -printf + index + sha256sum + cp -r, sync', find + lookUp + hash + copy),
    line('Pristine', seconds),
    line('  an empty folder: what each scan takes', others.empty),
    line('  these files beside that', seconds - others.empty),
    `  So they take ${((seconds - others.empty) / (find + lookUp)).toFixed(1)} times find and the index, and the scan itself the rest.`,
    line('  the scan before, which verified every delivery', others.second),
    line('  the first one, which read every file and wrote', others.first),
    '  Pristine lists, asks what it remembers, asks the index, looks at each receipt, file and report, and writes',
    '  listing and manifest, which are brought to the disk.',
    `  The worker computed for ${processorSeconds.toFixed(1)} s, ${((processorSeconds / files) * 1000).toFixed(1)} ms a file.`,
    '',
    ...timeLines(runs),
  ];
}

/** Where a scan's time went, by its history: activities that ran side by side count each. */
function timeLines(runs: readonly Run[]): string[] {
  const times = runs.map(({ events }) => activityTimes(events));
  const activities = new Map<string, ActivityTime>();
  for (const [name, { times: more, busyMs }] of times.flatMap((one) => [...one.activities])) {
    const so = activities.get(name) ?? { times: 0, busyMs: 0 };
    activities.set(name, { times: so.times + more, busyMs: so.busyMs + busyMs });
  }
  const total = times.reduce((ms, one) => ms + one.totalMs, 0);
  const idle = times.reduce((ms, one) => ms + one.idleMs, 0);
  const line = (what: string, ms: number) =>
    `  ${what.padEnd(WHAT)}${(ms / 1000).toFixed(3).padStart(9)}${`${((ms / total) * 100).toFixed(0)} %`.padStart(9)}`;
  return [
    line('the scan, by its history', total),
    ...[...activities].map(([name, { times: many, busyMs }]) => line(`  ${name}, ${many} times`, busyMs)),
    line('  no activity under way', idle),
  ];
}

/** Fewer files than this are over before anything that grows with them can be seen. */
const ENOUGH_FOR_A_SLOPE = 1000;

/** The slope of the second half is told for 1,000 files: 0 is flat. */
export function memoryLines(
  what: string,
  files: number,
  seconds: number,
  samples: readonly number[],
): string[] {
  const { first, thirds, largest, last, slope } = memoryCourse([...samples]);
  const forThousand = (slope * seconds * 1000) / files / 2 ** 20;
  return [
    `  ${what.padEnd(WHAT)}start ${bytesText(first)}, thirds ${thirds.map(bytesText).join(' / ')}, ` +
      `most ${bytesText(largest)}, end ${bytesText(last)}`,
    ...(files < ENOUGH_FOR_A_SLOPE
      ? []
      : [
          `    slope of the second half: ${forThousand.toFixed(2)} MiB for 1,000 files (${samples.length} samples)`,
        ]),
  ];
}
