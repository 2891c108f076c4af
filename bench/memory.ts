import { readFile } from 'node:fs/promises';
import { OperatorError } from '../cluster/operator-error.ts';

export type MemorySamples = { atStart: number; largest: number; atEnd: number; samples: number };

/** Bytes of a process's resident memory. Rejects when it has ended. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kibibytes === undefined)
    throw new OperatorError(
      `The worker (process ${pid}) has ended: start it with make up and measure again.`,
    );
  return Number(kibibytes) * 1024;
}

/** Samples a process's resident memory twice a second while `work` runs. */
export async function watchMemory<T>(pid: number, work: () => Promise<T>): Promise<[T, MemorySamples]> {
  const atStart = await residentBytes(pid);
  let largest = atStart;
  let samples = 1;
  const timer = setInterval(() => {
    residentBytes(pid).then(
      (bytes) => {
        largest = Math.max(largest, bytes);
        samples += 1;
      },
      () => clearInterval(timer),
    );
  }, 500);
  try {
    const result = await work();
    const atEnd = await residentBytes(pid);
    return [result, { atStart, largest: Math.max(largest, atEnd), atEnd, samples }];
  } finally {
    clearInterval(timer);
  }
}
