/** What one seed does: files, scans, workers and faults, all drawn from the seed's number. Pure. */
import { CRASH_POINTS, type CrashPoint } from '../../activities/crash-points.ts';
import type { Weather } from '../../cluster/own-servers/fault-proxy.ts';

/** Times in milliseconds, `afterMs` since the scans were started. */
export type TimedFault =
  /** SIGKILL. */
  | { kind: 'kill'; worker: number; afterMs: number }
  /** SIGSTOP, then SIGCONT. */
  | { kind: 'stop'; worker: number; afterMs: number; forMs: number }
  | { kind: 'redis-kill'; afterMs: number; forMs: number }
  | { kind: 'flushall'; afterMs: number }
  | { kind: 'temporal-kill'; afterMs: number; forMs: number }
  | { kind: 'api'; weather: Weather & string; afterMs: number; forMs: number }
  /** Deletes a pod by hand, at once or with the grace that it has. */
  | { kind: 'pod-delete'; force: boolean; afterMs: number };

export type SeedPlan = {
  seed: number;
  /** Run by the cluster's real node instead of kwok's. */
  realPods: boolean;
  place: 'folders' | 'bucket';
  files: { path: string; text: string }[];
  /** One scan each; two may be of the same destination. */
  destinations: number[];
  scan: { parallelFiles: number; retries: number };
  historyLimit: number | undefined;
  /** For each worker, the crash points of its first, second, … life. */
  workers: { point: CrashPoint; nth: number }[][];
  faults: TimedFault[];
  /** Milliseconds that an engine takes at most beside what its input asks for. */
  engineMs: number;
};

export type Random = {
  /** A whole number from `least` to `most`. */
  whole(least: number, most: number): number;
  chance(share: number): boolean;
  pick<T>(from: readonly [T, ...T[]]): T;
};

/** Mulberry32: small, and the same everywhere. */
export function random(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const whole = (least: number, most: number) => least + Math.floor(next() * (most - least + 1));
  return {
    whole,
    chance: (share) => next() < share,
    // The index is within the list, so that there is one.
    pick: (from) => from[whole(0, from.length - 1)] ?? from[0],
  };
}

const MODES = [
  ...['rebuild', 'rebuild', 'rebuild', 'rebuild', 'rebuild', 'rebuild', 'slow 1', 'slow 2'],
  ...['refuse', 'refuse', 'refuse-by-exit'],
] as [string, ...string[]];
const CRASHERS = ['exit 1', 'crash', 'nothing', 'memory'] as [string, ...string[]];

/** Every twentieth seed runs on real pods. */
export function seedPlan(seed: number): SeedPlan {
  const draw = random(seed);
  const realPods = seed % 20 === 1;
  const two = draw.chance(0.35);
  const plan: SeedPlan = {
    seed,
    realPods,
    place: draw.chance(0.3) ? 'bucket' : 'folders',
    files: files(seed, draw, realPods),
    destinations: draw.chance(0.35) ? [1, draw.pick([1, 2])] : [1],
    scan: { parallelFiles: draw.whole(2, 10), retries: realPods ? 5 : 2 },
    historyLimit: draw.chance(0.3) ? draw.whole(60, 200) : undefined,
    workers: Array.from({ length: two ? 2 : 1 }, () => crashes(draw)),
    faults: [],
    engineMs: draw.pick([0, 200, 800]),
  };
  plan.faults = Array.from({ length: draw.whole(0, 3) }, () => fault(draw, plan.workers.length));
  if (plan.workers.flat().length + plan.faults.length === 0)
    plan.faults = [{ kind: 'kill', worker: 0, afterMs: draw.whole(0, 4_000) }];
  return plan;
}

/** Some contents have several names; at most two make their engine fail. */
function files(seed: number, draw: Random, realPods: boolean): SeedPlan['files'] {
  const count = realPods ? draw.whole(6, 9) : draw.whole(8, 20);
  const crashers = draw.whole(0, 2);
  const contents = Array.from({ length: draw.whole(Math.ceil(count / 2), count) }, (_, at) => {
    const mode = at < crashers ? draw.pick(CRASHERS) : draw.pick(MODES);
    return `${mode}\nseed ${seed}, content ${at}\n`;
  });
  return Array.from({ length: count }, (_, at) => ({
    path: `${draw.pick(['', 'a/', 'a/b/', 'c d/'])}file ${at}`,
    text: contents[at] ?? draw.pick(contents as [string, ...string[]]),
  }));
}

function crashes(draw: Random): SeedPlan['workers'][number] {
  return Array.from({ length: draw.pick([0, 1, 1, 1, 2, 2]) }, () => {
    const point = draw.pick(CRASH_POINTS);
    const once: readonly CrashPoint[] = [
      'page.hashed',
      'files.delivered',
      'files.written',
      'manifest.written',
    ];
    return { point, nth: once.includes(point) ? 1 : draw.whole(1, 4) };
  });
}

function fault(draw: Random, workers: number): TimedFault {
  const afterMs = draw.whole(0, 6_000);
  const worker = draw.whole(0, workers - 1);
  const forMs = draw.whole(500, 7_000);
  const kind = draw.pick([
    ...(['kill', 'kill', 'stop', 'stop', 'redis-kill', 'redis-kill', 'flushall', 'flushall'] as const),
    ...(['temporal-kill', 'api', 'api', 'api', 'pod-delete', 'pod-delete', 'pod-delete'] as const),
  ]);
  switch (kind) {
    case 'kill':
      return { kind, worker, afterMs };
    case 'stop':
      return { kind, worker, afterMs, forMs };
    case 'redis-kill':
    case 'temporal-kill':
      return { kind, afterMs, forMs };
    case 'flushall':
      return { kind, afterMs };
    case 'api':
      return { kind, weather: draw.pick(['away', 'stalled', 'half-open', 'no-answers']), afterMs, forMs };
    case 'pod-delete':
      return { kind, force: draw.chance(0.5), afterMs };
  }
}

/** What becomes of each path, by its engine's word. */
export function expectedOutcome(text: string): 'done' | 'refused' | 'quarantined' {
  const mode = text.split('\n', 1)[0] ?? '';
  if (mode.startsWith('refuse')) return 'refused';
  return CRASHERS.includes(mode) ? 'quarantined' : 'done';
}

/** `3 faults (pod.created:2, stop, flushall)` */
export function faultsInWords({ workers, faults }: SeedPlan): string {
  const all = [
    ...workers.flat().map(({ point, nth }) => `${point}:${nth}`),
    ...faults.map(({ kind }) => kind),
  ];
  return `${all.length} ${all.length === 1 ? 'fault' : 'faults'} (${all.join(', ')})`;
}
