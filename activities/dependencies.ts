import type { Client } from '@temporalio/client';
import type { Logger } from '../drivers/events.ts';
import type {
  Destination,
  FileMemory,
  Locks,
  Pods,
  ProcessedIndex,
  SeenFiles,
  Source,
} from '../drivers/ports.ts';
import type { Profile } from '../drivers/profile.ts';
import type { CrashPoint } from './crash-points.ts';

/** Everything the activities need from outside; the composition root in workers/ makes it. */
export type Dependencies = {
  openSource(url: string): Source;
  openDestination(url: string): Destination;
  index: ProcessedIndex;
  locks: Locks;
  seen: SeenFiles;
  memory: FileMemory;
  pods: Pods;
  profiles: Readonly<Record<string, Profile>>;
  client: Client;
  logger: Logger;
  /** Test builds only: told of each crash point that is reached. */
  reached?: ((point: CrashPoint) => void | Promise<void>) | undefined;
  settings: {
    lockTtlMs: number;
    /** Activities report at least this often; three times this without a report counts as lost. */
    heartbeatMs: number;
    /** Whether the namespace knows our search attributes. */
    searchAttributes: boolean;
    /** Continue as new past this many history events, if before Temporal suggests it. For tests. */
    historyLimit?: number | undefined;
  };
};
