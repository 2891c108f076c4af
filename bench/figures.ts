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

/** The smallest value that at least this share (0 to 1) of all do not exceed. NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** Milliseconds from a pod's last act until Pristine and until kubectl saw its end. */
export type Observed = { ours: number; theirs: number };

/** The bar for Pristine's p99 against kubectl's in the same run. */
export const WATCH_BAR = 1.2;

/** p50 and p99 of both, their ratios, the difference of the two for each pod, and the one pod that ran alone. */
export function watchLines(observed: readonly Observed[], alone?: Observed & { seconds: number }): string[] {
  const columns = (text: string, cells: readonly string[]) =>
    `  ${text.padEnd(34)}${cells.map((cell) => cell.padStart(11)).join('')}`;
  const ms = (value: number) => `${value.toFixed(0)} ms`;
  const both = (values: readonly number[]) => [percentile(values, 0.5), percentile(values, 0.99)] as const;
  const ours = both(observed.map((one) => one.ours));
  const theirs = both(observed.map((one) => one.theirs));
  const behind = both(observed.map((one) => one.ours - one.theirs));
  const ratios = [ours[0] / theirs[0], ours[1] / theirs[1]];
  return [
    columns(`${observed.length} pods`, ['p50', 'p99']),
    columns('Pristine', ours.map(ms)),
    columns('kubectl get pods -w', theirs.map(ms)),
    columns(
      'ratio',
      ratios.map((ratio) => ratio.toFixed(2)),
    ),
    columns('Pristine behind kubectl by', behind.map(ms)),
    ...(alone === undefined
      ? []
      : [
          columns(`one pod, alone for ${alone.seconds} s`, ['Pristine', 'kubectl', 'ratio']),
          columns('', [ms(alone.ours), ms(alone.theirs), (alone.ours / alone.theirs).toFixed(2)]),
        ]),
    '',
    `  The bar is a ratio of ${WATCH_BAR} at p99, the pod that ran alone included.`,
  ];
}

/** `106 MiB`, `1.3 MiB`, `12 KiB`. */
export function bytesText(bytes: number): string {
  const mebibytes = bytes / 2 ** 20;
  if (mebibytes >= 1) return `${mebibytes.toFixed(mebibytes < 10 ? 1 : 0)} MiB`;
  return `${Math.round(bytes / 1024)} KiB`;
}
