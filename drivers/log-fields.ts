/**
 * The fields of our log lines, and what each holds. Dashboards search by them, so what is searched is mapped under
 * the same name and no other (helm/efk/files/mappings.json; a test compares them), and one name never holds two
 * kinds of value. This file imports nothing.
 */

type Values = {
  /** Short: a name, an ID, a class. Found as a whole, counted. */
  word: string;
  /** Of any length, and whoever wrote it. Found by the words in it, never counted. */
  text: string;
  count: number | null;
  seconds: number;
  flag: boolean;
  /** Kept with the line, not searched: it has fields that we don't name. */
  kept: unknown;
};
type Kind = keyof Values;

export const LOG_FIELDS = {
  // About a file and its content.
  scan: 'word',
  sha256: 'word',
  outcome: 'word',
  verdict: 'word',
  reason: 'word',
  class: 'word',
  attempts: 'count',
  receipt: 'word',
  /** The pod whose result was there first. */
  winner: 'word',

  // About a pod.
  pod: 'word',
  uid: 'word',
  slot: 'word',
  attempt: 'count',
  tier: 'count',
  kind: 'word',
  node: 'word',
  phase: 'word',
  podSeconds: 'seconds',
  engineSeconds: 'seconds',
  exitCodes: 'kept',
  container: 'word',
  text: 'text',
  truncated: 'flag',
  bytes: 'count',

  // About a scan: a page's, then the numbers of its outcomes.
  listed: 'count',
  new: 'count',
  rebuilt: 'count',
  delivered: 'count',
  refused: 'count',
  quarantined: 'count',
  filtered: 'count',
  changed: 'count',
  gone: 'count',
  unreadable: 'count',

  // About the index.
  profile: 'word',
  items: 'count',
  records: 'count',
  capacity: 'count',
  layers: 'count',
  epoch: 'count',
  quota: 'count',

  // About the watch and the file server.
  pods: 'count',
  idleMs: 'count',
  failures: 'count',
  code: 'word',
  condition: 'word',
  destination: 'word',
  method: 'word',
  status: 'count',

  // About the codec server.
  verb: 'word',
  payloads: 'count',
  who: 'word',

  // About the worker.
  workflowId: 'word',
  activityType: 'word',
  taskQueue: 'word',
  signal: 'word',
  address: 'word',
  port: 'count',
  lines: 'count',
  config: 'kept',
} as const satisfies Record<string, Kind>;

export type LogField = keyof typeof LOG_FIELDS;
export type LogValues = { [field in LogField]?: Values[(typeof LOG_FIELDS)[field]] | undefined };
