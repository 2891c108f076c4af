/**
 * The names and shapes that scans, their callers and their workers agree on. This file imports nothing:
 * whoever only needs a name or a type can take it from here. See docs/architecture.md.
 */

/** Workflow types. Renaming one breaks every caller's `temporal workflow start --type …`. */
export const WORKFLOW = {
  scan: 'scan',
  rebuildFile: 'rebuildFile',
  retryQuarantined: 'retryQuarantined',
} as const;

/** The task queue people start scans on. The workers' other two queues are named after it. */
export const DEFAULT_TASK_QUEUE = 'pristine';

/** Activities that need the source or destination at hand run on `files`, those that need Kubernetes on `pods`. */
export function taskQueues(base: string): { orchestrate: string; files: string; pods: string } {
  return { orchestrate: base, files: `${base}-files`, pods: `${base}-pods` };
}

export const UPDATE = {
  setParallelFiles: 'setParallelFiles',
  pause: 'pause',
  resume: 'resume',
  drain: 'drain',
} as const;
export const QUERY = { progress: 'progress' } as const;

/** From a child to its scan: the cluster has no room for its pod. */
export const SIGNAL = { capacityShort: 'capacityShort' } as const;

/**
 * What an earlier result counts for. `reuse`: a content that is done under the profile's settings runs no engine.
 * `if-changed`: the same, and the profile must name its image by digest, so that settings which are the same
 * mean an engine which is the same. `force`: every content runs once more, whatever is on record.
 */
export const SCAN_MODES = ['reuse', 'if-changed', 'force'] as const;
export type ScanMode = (typeof SCAN_MODES)[number];

/** What became of a file; exactly one per file and scan. */
export const OUTCOMES = [
  'rebuilt',
  'delivered',
  'refused',
  'quarantined',
  'filtered',
  'changed',
  'gone',
  'unreadable',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Search attributes, set only where the namespace knows them. Typed Keyword; never a path. */
export const SEARCH_ATTRIBUTE = {
  scan: 'PristineScan',
  sha256: 'PristineSha256',
  outcome: 'PristineOutcome',
  profile: 'PristineProfile',
} as const;

/**
 * A file's name relative to its source. `path` is the text; `pathBase64` holds the bytes and is there only
 * where they are not valid UTF-8 (then `path` shows U+FFFD in their place and must not be used to open it).
 */
export type FileName = { path: string; pathBase64?: string | undefined };

/** What a person gives to `scan`, after defaults. The schema with limits and defaults is in messages.ts. */
export type ScanInput = {
  /** URL of what to scan: `file:///absolute/folder`, `s3://bucket/prefix/`. Read, never changed. */
  source: string;
  /** URL of where results go: `file:///absolute/folder`, `s3://bucket/prefix/`. */
  destination: string;
  /** Name of a profile that the workers know. */
  profile: string;
  /** Files in work at a time, 1-500. */
  parallelFiles: number;
  /** Counted attempts after the first, 0-20. */
  retries: number;
  /** false: end when all is done. true or a number: go on listing every N seconds (true = 30). */
  watch: boolean | number;
  /** Glob patterns on the path; a file that matches none of `include` or one of `exclude` is `filtered`. */
  include?: string[] | undefined;
  exclude?: string[] | undefined;
  /** Files above this many bytes are `filtered`. */
  maxBytes?: number | undefined;
  mode: ScanMode;
  /**
   * The scan pauses itself when, of the last `of` contents that ran, at least this `share` (0-1) was quarantined
   * for one and the same class of failure. false: never.
   */
  failureLimit: FailureLimit | false;
};

export type FailureLimit = { share: number; of: number };

/** A profile as the workers resolved it. Its fingerprint is part of every key. */
export type ProfileRef = {
  name: string;
  /** 8 hex: sha256 of the canonical settings; of a forced scan, of the settings and the scan's first run. */
  fingerprint: string;
  /** Of a forced scan: the settings' own fingerprint, which index and lock go by. */
  base?: string | undefined;
};

/** One content's work order. The workflow ID is `fileWorkflowId(sha256, profile.fingerprint)`. */
export type RebuildFileInput = {
  scanId: string;
  sha256: string;
  size: number;
  profile: ProfileRef;
  source: string;
  /** One of the names that hold this content: where the pod's fetch reads it. */
  name: FileName;
  destination: string;
  retries: number;
  /** Highest size step of the engine. */
  maxTier: number;
  /** Seconds a pod may take in all: start deadline and run deadline together. */
  podSeconds: number;
  heartbeatMs: number;
  searchAttributes: boolean;
  /** Run the engine although a record says done: the recorded content was found missing. */
  ignoreRecord?: boolean | undefined;
};

/** Why an attempt had no result; `unprocessed`: one of our own steps failed for good. */
export type NoResultClass =
  | 'disruption'
  | 'gone'
  | 'capacity'
  | 'configuration'
  | 'resource'
  | 'crash'
  | 'transfer'
  | 'unprocessed';

/** How one content ended. `attempts` counts pods; `pod` is the last one's name. */
export type FileResult = {
  outcome: 'rebuilt' | 'refused' | 'quarantined' | 'changed' | 'gone';
  /** One sentence a person can act on; always there unless rebuilt. */
  reason?: string | undefined;
  attempts: number;
  pod?: string | undefined;
  /** URL of the destination that holds the receipt, and the receipt's key in it. */
  destination?: string | undefined;
  receipt?: string | undefined;
  /** The profile fingerprint that the receipt lies under, where a forced scan made it. */
  fingerprint?: string | undefined;
  /** Of a quarantined one: what the last attempt failed for. */
  class?: NoResultClass | undefined;
  /** true when a record or receipt of earlier work was found and no engine ran. */
  reused: boolean;
  engineSeconds?: number | undefined;
};

/** Outcome counts; every outcome is present. */
export type OutcomeCounts = Record<Outcome, number>;

/** Answer of the `progress` query. Times in seconds since the epoch or seconds. */
export type Progress = {
  state: 'listing' | 'working' | 'waiting' | 'paused' | 'draining';
  /** Why it is paused or waits for room in the cluster, in words. */
  reason?: string | undefined;
  listed: number;
  done: OutcomeCounts;
  inFlight: number;
  /** Listed, not yet in work or done. */
  queued: number;
  listingComplete: boolean;
  parallelFiles: number;
  /** How many of these are used now: fewer while the cluster has no room for more. */
  window: number;
  /** Files with an outcome per second over about the last minute. */
  filesPerSecond: number;
  /** Seconds until all that is listed is done; null while the listing goes on or nothing moves. */
  etaSeconds: number | null;
  startedAt: number;
  pass: number;
};

/** A scan's result, and what summary.json holds. */
export type ScanSummary = {
  scan: string;
  source: string;
  destination: string;
  profile: ProfileRef;
  startedAt: string;
  finishedAt: string;
  listed: number;
  outcomes: OutcomeCounts;
  /** Key of the manifest under the destination, its line count and sha256. */
  manifest: { key: string; lines: number; sha256: string };
};

/** What a person gives to `retryQuarantined`: exactly one of `sha256`, `class` and `all`. */
export type RetryInput = {
  /** URL of the destination that holds the notes, `quarantined.json`. */
  destination: string;
  /** Only what is quarantined under this profile: a name that the workers know, or a fingerprint of 8 hex. */
  profile?: string | undefined;
  sha256?: string | undefined;
  /** What the last attempt failed for. */
  class?: string | undefined;
  all?: true | undefined;
};

/** How many contents were cleared, and the first 100 of them. `profile` is the fingerprint. */
export type RetryResult = { cleared: number; contents: { sha256: string; profile: string }[] };

/** The fingerprint that index and lock go by. */
export function indexProfile(profile: ProfileRef): string {
  return profile.base ?? profile.fingerprint;
}

/** In-flight guard for one content under one profile. No path is in it. */
export function fileWorkflowId(sha256: string, fingerprint: string): string {
  return `file-${sha256}-${fingerprint}`;
}

export function noOutcomes(): OutcomeCounts {
  return Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as OutcomeCounts;
}

export function totalOf(counts: OutcomeCounts): number {
  return OUTCOMES.reduce((sum, outcome) => sum + counts[outcome], 0);
}
