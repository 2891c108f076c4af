/** How the program ends before it is through: Ctrl-C, SIGTERM, or nobody who reads on. */
import { constants } from 'node:os';

/** As much of the process as this needs. */
export type Ending = {
  exitCode?: number | string | null | undefined;
  exit(): void;
  once(signal: 'SIGINT' | 'SIGTERM', stop: () => void): unknown;
  off(signal: 'SIGINT' | 'SIGTERM', stop: () => void): unknown;
  stdout: { on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown };
};

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
/** As a shell gives it for a program that a signal has ended. */
const codeOf = (signal: keyof typeof constants.signals) => 128 + constants.signals[signal];

/**
 * `… | head -1` ends the program quietly, as SIGPIPE ends others. A verb that would leave something behind asks for
 * `untilStopped`: its signal fires, and the program goes on until that is tidied up. A second Ctrl-C ends it at once.
 */
export function earlyEnd(ending: Ending): { untilStopped(): AbortSignal } {
  let tidying: AbortController | undefined;
  ending.stdout.on('error', (error) => {
    if (error.code !== 'EPIPE') throw error;
    ending.exitCode = codeOf('SIGPIPE');
    if (tidying === undefined) ending.exit();
    else tidying.abort();
  });
  return {
    untilStopped() {
      const stop = new AbortController();
      tidying = stop;
      const stops = SIGNALS.map((signal) => ({
        signal,
        on: () => {
          for (const other of stops) ending.off(other.signal, other.on);
          ending.exitCode = codeOf(signal);
          stop.abort();
        },
      }));
      for (const { signal, on } of stops) ending.once(signal, on);
      return stop.signal;
    },
  };
}
