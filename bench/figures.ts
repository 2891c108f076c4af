export type Measured = { what: string; files: number; seconds: number };

/** The bar for Pristine against the Indexed Job of the same pods in the same run. */
export const BAR = 1.25;

/** A line a measurement: seconds, files/s, seconds per file, and the ratio to the one named `reference`. */
export function speedLines(measured: readonly Measured[], reference: string): string[] {
  const base = measured.find(({ what }) => what === reference);
  return [
    `  ${''.padEnd(34)}${'seconds'.padStart(9)}${'files/s'.padStart(9)}${'s/file'.padStart(9)}${'ratio'.padStart(8)}`,
    ...measured.map(({ what, files, seconds }) => {
      const ratio = base === undefined ? Number.NaN : seconds / files / (base.seconds / base.files);
      return (
        `  ${what.padEnd(34)}${seconds.toFixed(1).padStart(9)}${(files / seconds).toFixed(2).padStart(9)}` +
        `${(seconds / files).toFixed(3).padStart(9)}${ratio.toFixed(2).padStart(8)}`
      );
    }),
  ];
}

/** The middle one; of an even number, the mean of the middle two. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}

/** `106 MiB`, `1.3 MiB`, `12 KiB`. */
export function bytesText(bytes: number): string {
  const mebibytes = bytes / 2 ** 20;
  if (mebibytes >= 1) return `${mebibytes.toFixed(mebibytes < 10 ? 1 : 0)} MiB`;
  return `${Math.round(bytes / 1024)} KiB`;
}
