import { readFile } from 'node:fs/promises';
import { OperatorError } from '../cluster/operator-error.ts';
import { median } from './figures.ts';

/** Bytes of resident memory in the order of time, the first from before the work and the last from after it. */
export type MemorySamples = number[];

const EVERY_MS = 500;

/** Bytes of a process's resident memory. Rejects when it has ended. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kibibytes === undefined)
    throw new OperatorError(`The worker (process ${pid}) has ended: measure again, and look at its log.`);
  return Number(kibibytes) * 1024;
}

/** Ticks of /proc a second, as every Linux that Node runs on has them. */
const TICKS = 100;

/** Seconds of processor time that a process has used, all its threads together. */
export async function processorSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
  // The second field, the program's name in parentheses, may hold anything; utime and stime are the 14th and 15th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Samples a process's resident memory twice a second while `work` runs. */
export async function watchMemory<T>(pid: number, work: () => Promise<T>): Promise<[T, MemorySamples]> {
  const samples = [await residentBytes(pid)];
  const timer = setInterval(() => {
    residentBytes(pid).then(
      (bytes) => samples.push(bytes),
      () => clearInterval(timer),
    );
  }, EVERY_MS);
  try {
    const result = await work();
    clearInterval(timer);
    samples.push(await residentBytes(pid));
    return [result, samples];
  } finally {
    clearInterval(timer);
  }
}

export type MemoryCourse = {
  /** The first sample, the medians of the three thirds, the largest, the last. Bytes. */
  first: number;
  thirds: [number, number, number];
  largest: number;
  last: number;
  /** Bytes a second from the middle of the course to its end, by least squares. */
  slope: number;
};

/** A first third warms up: it loads code and fills buffers. What grows with the files grows in the others too. */
export function memoryCourse(samples: MemorySamples): MemoryCourse {
  const third = (nth: number) =>
    median(
      samples.slice(Math.floor((samples.length * nth) / 3), Math.ceil((samples.length * (nth + 1)) / 3)),
    );
  return {
    first: samples[0] ?? Number.NaN,
    thirds: [third(0), third(1), third(2)],
    largest: samples.reduce((most, bytes) => Math.max(most, bytes), 0),
    last: samples.at(-1) ?? Number.NaN,
    slope: slope(samples.slice(Math.floor(samples.length / 2))) * (1000 / EVERY_MS),
  };
}

/** Rise a step of the straight line that fits best; 0 of fewer than two values. */
export function slope(values: readonly number[]): number {
  const [middle, mean] = [(values.length - 1) / 2, values.reduce((sum, one) => sum + one, 0) / values.length];
  const [rise, run] = values.reduce<[number, number]>(
    ([above, below], value, at) => [above + (at - middle) * (value - mean), below + (at - middle) ** 2],
    [0, 0],
  );
  return run === 0 ? 0 : rise / run;
}
