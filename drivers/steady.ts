/**
 * Clocks tick: of two changes within one tick the second leaves the version as it was. A version tells whether bytes
 * are the same only if its change was over for longer than any tick (2 s on FAT) when they were read.
 */
const TICK_MS = 3_000;

/** `changedAt` by the clock of whoever keeps the file, `readFrom` by ours: milliseconds since the epoch. */
export function isSteady(changedAt: number, readFrom: number = Date.now()): boolean {
  return changedAt + TICK_MS <= readFrom;
}
