/**
 * Log lines on their way to stdout. Nobody may be there to take them (a pipe that is full or broken) and the disk
 * behind it may be full: then lines are lost, counted, and the work goes on. It never waits for its log.
 */

/** As much of process.stdout as is needed here. */
export type LineStream = {
  write(text: string, done: (error?: Error | null) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  readonly writableLength: number;
};

export type LogOutput = { write(line: string): void };

export type LogOutputOptions = {
  /** Bytes that may wait to be taken; what comes on top is lost. Default 4 MiB. */
  maxWaiting?: number | undefined;
  /** Told of each line that was lost. */
  onLost?: () => void;
  /** Told once, with how many were lost, when a line was taken again. */
  onTaken?: (lost: number) => void;
};

const MAX_WAITING = 4 * 1024 * 1024;

/** Listens to the stream's errors for good: without that the first one would end the process. */
export function createLogOutput(stream: LineStream, options: LogOutputOptions = {}): LogOutput {
  const { maxWaiting = MAX_WAITING, onLost, onTaken } = options;
  let lost = 0;
  let cut = false;
  stream.on('error', () => {});
  const lose = () => {
    lost += 1;
    onLost?.();
  };
  return {
    write(line) {
      if (stream.writableLength + Buffer.byteLength(line) > maxWaiting) return lose();
      // A full disk takes a part of a line: the next one begins anew.
      const text = cut ? `\n${line}` : line;
      cut = false;
      stream.write(text, (error) => {
        if (error) {
          cut = true;
          return lose();
        }
        const before = lost;
        lost = 0;
        if (before > 0) onTaken?.(before);
      });
    },
  };
}
