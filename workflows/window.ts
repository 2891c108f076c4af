/** How many files a scan works on while the cluster has no room for all that it may: pure. */

/** `slots`: how many at a time, until the shortage is over. Times in milliseconds since the epoch. */
export type Shortage = { reason: string; slots: number; shrunkAt: number };

/** Pods that find no room at about the same time say it once. */
const ONE_SHORTAGE_MS = 10_000;

/** Half of what was in work found room, at the least one. */
export function shrunk(before: Shortage | null, inWork: number, reason: string, now: number): Shortage {
  if (before !== null && now - before.shrunkAt < ONE_SHORTAGE_MS) return { ...before, reason };
  const slots = Math.max(1, Math.floor(Math.min(before?.slots ?? inWork, inWork) / 2));
  return { reason, slots, shrunkAt: now };
}

/** A file has ended, so one more is tried; null once all that are allowed fit again. */
export function grown(before: Shortage | null, parallelFiles: number): Shortage | null {
  if (before === null || before.slots + 1 >= parallelFiles) return null;
  return { ...before, slots: before.slots + 1 };
}

export function windowOf(shortage: Shortage | null, parallelFiles: number): number {
  return shortage === null ? parallelFiles : Math.min(shortage.slots, parallelFiles);
}
