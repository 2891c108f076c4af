import type { Layout } from './layout.ts';
import type { Ports } from './ports.ts';
import type { Progress } from './progress.ts';
import type { Secrets } from './secrets.ts';
import type { Versions } from './versions.ts';

/** What every step of bringing the stack up needs to know. */
export type Stack = {
  readonly layout: Layout;
  readonly ports: Ports;
  readonly versions: Versions;
  readonly secrets: Secrets;
  readonly progress: Progress;
  /** Whether the API server writes an audit log of all requests (`PRISTINE_AUDIT=1` at `up`). */
  readonly audit: boolean;
};
