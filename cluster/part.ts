import type { Listen } from './ports.ts';
import type { Reach } from './process-identity.ts';

/** One long-running process of the stack: how it is started, when it is well, how it is stopped. */
export type Part = {
  /** Names its pid file, log file and line in `make status`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Added to the environment that the part inherits. */
  readonly env?: Readonly<Record<string, string>>;
  /** Environment variables that must not reach the part. */
  readonly unset?: readonly string[];
  /** Texts outside the command line (configuration files, certificates) that it must be restarted for when they change. */
  readonly configuration?: readonly string[];
  /** Checked to be free before it is started. */
  readonly listens: readonly Listen[];
  /** Asks the part's own health endpoint. Must not throw. */
  readonly healthy: () => Promise<boolean>;
  /** How long it may take from its start until it is healthy. */
  readonly readyWithinMs: number;
  /** How long it may take to end after SIGTERM before it is killed. */
  readonly stopWithinMs: number;
  /** What a stop signals: the process alone unless said otherwise. */
  readonly reach?: Reach;
};
