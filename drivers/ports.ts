/**
 * What the activities need from the world, each as narrow as its users. One contract suite per port in
 * test/contract runs on every implementation. This file imports types of Node only.
 */
import type { Readable } from 'node:stream';

/** A name as bytes, relative, components separated by `/`, as the source has it. Never decoded lossily. */
export type NameBytes = Uint8Array;

export type ListedFile = {
  kind: 'file';
  name: NameBytes;
  size: number;
  /** Changes whenever the bytes may have: mtime, inode and size, or the ETag. */
  version: string;
  /** Milliseconds since the epoch. */
  modifiedAt: number;
  /** The same, of the last change that `version` tells of: ctime, or when the object was written. */
  changedAt: number;
};
export type ListedOther = { kind: 'unreadable'; name: NameBytes; reason: string };
export type ListedEntry = ListedFile | ListedOther;
/** `next` is the cursor for the following page: the last entry's name; null at the end. */
export type ListPage = { entries: ListedEntry[]; next: NameBytes | null };

/** Where originals come from. Nothing here can write. */
export interface Source {
  readonly url: string;
  /** Throws DriverError source.missing / source.forbidden / source.unavailable with words to act on. */
  check(): Promise<void>;
  /** Entries after `cursor` in one total order that a restart does not change. At most `limit`. */
  list(cursor: NameBytes | null, limit: number): Promise<ListPage>;
  /**
   * The bytes of a listed file, without following links. Throws source.gone when it is not there,
   * source.changed when its version is another, source.forbidden when it can't be read.
   */
  open(name: NameBytes, version: string): Promise<{ size: number; body: Readable }>;
  /**
   * A link with which one pod can read this one file until `expiresAt` (ms since the epoch), in whatever
   * version: the pod tells by their hash whether its bytes are still those that were listed.
   */
  signGet(name: NameBytes, grant: { pod: string; expiresAt: number }): Promise<string>;
}

/** Keys of ours are ASCII text; keys under `tree/` and `reports/` end in a file's own bytes. */
export type ObjectKey = string | Uint8Array;
export type Digest = { size: number; sha256: string };

/** Where results go: a small object store. Every write appears whole or not at all. */
export interface Destination {
  readonly url: string;
  /** Probes that it can be written and that `create` lets one of two writers win; throws DriverError. */
  check(): Promise<void>;
  read(key: ObjectKey): Promise<{ size: number; body: Readable } | null>;
  /** Writes or replaces. Returns what was written. */
  write(key: ObjectKey, body: Readable | Uint8Array | string): Promise<Digest>;
  /** Conditional create (S3 If-None-Match: *; link without replace). false: somebody's is there already. */
  create(key: ObjectKey, body: Uint8Array | string): Promise<boolean>;
  /**
   * Copies within the destination, replacing `to`, only if the bytes are exactly `expected`; otherwise
   * throws content.mismatch (or content.missing) and `to` is as it was.
   */
  copy(from: ObjectKey, to: ObjectKey, expected: Digest): Promise<void>;
  /**
   * For each key, in order, the version of what lies there, which changes whenever its bytes may have. `absent`:
   * nothing lies there. null: not to be relied on, since it is no plain file with one name, or was changed so lately
   * that the next change might not show. Reads no bytes.
   */
  standing(keys: readonly ObjectKey[]): Promise<(string | null)[]>;
  /** Gone is success. On a file system, empty parent folders under the same top folder go too. */
  remove(key: ObjectKey): Promise<void>;
  /** Keys under a text prefix that ends in `/`, in byte order. */
  list(prefix: string): AsyncIterable<{ key: Uint8Array; size: number }>;
  /** A link with which one pod can create this one object (never replace it), of at most `maxBytes`. */
  signPut(key: string, grant: { pod: string; expiresAt: number; maxBytes: number }): Promise<string>;
}

/** Signs links to the file server. `path` is bytes below `root`, one of the file server's roots (absolute). */
export interface LinkSigner {
  sign(link: {
    method: 'GET' | 'PUT';
    root: string;
    path: Uint8Array;
    pod: string;
    expiresAt: number;
    maxBytes?: number | undefined;
  }): string;
}

/**
 * What a finished content's record says: its verdict and the destination URL that holds the receipt.
 * `fingerprint` (8 hex) is there only where a forced run made the result: the receipt lies under it instead of
 * under the key's own profile.
 */
export type IndexRecord = {
  verdict: 'rebuilt' | 'refused' | 'quarantined';
  destination: string;
  fingerprint?: string | undefined;
};
export type ContentKey = { profile: string /** 64 hex */; sha256: string };

/** `done`: there is a record, nothing was locked. `held`: somebody else has the lock. */
export type IndexClaim = { kind: 'done'; record: IndexRecord } | { kind: 'claimed' } | { kind: 'held' };

/** Which contents are done. Bloom "no" is new; Bloom "yes" alone never is done. */
export interface ProcessedIndex {
  /** Server reachable, Bloom there, keys of the right type and version; throws DriverError index.*. */
  check(): Promise<void>;
  /** One answer per sha256, in order: its record, or null = new. Few round trips a page: Redis one, etcd one for 100. */
  lookup(profile: string, sha256s: readonly string[]): Promise<(IndexRecord | null)[]>;
  /** Looks one content up and, if it is new, takes its lock for `owner` (or renews it), in one step. */
  claim(key: ContentKey, owner: string, ttlMs: number): Promise<IndexClaim>;
  /** Adds to filter and exact record and, if `unlockOwner` holds the lock, frees it, in one step. */
  add(key: ContentKey, record: IndexRecord, unlockOwner?: string): Promise<void>;
  /** Forgets one content (an operator clears a quarantine). The filter keeps its bits, which harm nothing. */
  forget(key: ContentKey): Promise<void>;
  /** Makes the profile's filter and records anew from these; look-ups meanwhile see the old or the new. */
  rebuild(profile: string, records: AsyncIterable<{ sha256: string; record: IndexRecord }>): Promise<number>;
}

export type LockInfo = { key: ContentKey; owner: string; ttlMs: number };

/** Locks save work; they guarantee nothing: the receipt is the fence. */
export interface Locks {
  /** true when ours: it was free, or `owner` holds it already, whose time is then renewed. */
  acquire(key: ContentKey, owner: string, ttlMs: number): Promise<boolean>;
  /** Frees it only if `owner` holds it. */
  release(key: ContentKey, owner: string): Promise<boolean>;
  list(): AsyncIterable<LockInfo>;
  /** An operator's: frees whoever's. */
  break(key: ContentKey): Promise<boolean>;
}

/** `quarantined`: the file's content (sha256) was quarantined, which an operator may undo. */
export type SeenMark = { quarantined?: string | undefined };

/** Remembers what a watching scan has settled: one version per name. Losing it costs look-ups, nothing else. */
export interface SeenFiles {
  /** For each, what exactly this version of this name was marked with in this scan; null when it was not. */
  seen(scan: string, files: readonly { name: NameBytes; version: string }[]): Promise<(SeenMark | null)[]>;
  mark(scan: string, files: readonly ({ name: NameBytes; version: string } & SeenMark)[]): Promise<void>;
  forget(scan: string): Promise<void>;
}

/** What a scan has noted of a file's delivery. */
export type NotedDelivery = {
  /** 16 hex: hash of the versions of all that stood. */
  standing: string;
  report?: 'xml' | 'json' | undefined;
  sameBytes?: boolean | undefined;
};
/** What an earlier scan has learned of a file in one version. */
export type FileNote = { sha256: string; delivery?: NotedDelivery | undefined };
/** Notes of one pair of source and destination under one profile (the fingerprint that the index goes by). */
export type MemoryPlace = { source: string; destination: string; profile: string };

/** What scans have learned of files, for later ones. Losing it costs reading, nothing else. */
export interface FileMemory {
  /**
   * For each, what was noted of exactly this version of this name, and in the same step the exact record that the
   * index has of the content; null when nothing was.
   */
  recall(
    place: MemoryPlace,
    files: readonly { name: NameBytes; version: string }[],
  ): Promise<((FileNote & { record: IndexRecord | null }) | null)[]>;
  /** One note a name: the last. */
  remember(
    place: MemoryPlace,
    notes: readonly ({ name: NameBytes; version: string } & FileNote)[],
  ): Promise<void>;
}

/** `a<attempt>-<nonce>`. It becomes part of a path: nothing else is taken from a pod, a key or a receipt. */
export const SLOT = /^a\d{1,3}-[A-Za-z0-9-]{1,64}$/;

/** Everything that shapes one attempt's pod. No file name is in it. */
export type FilePodRequest = {
  /** DNS label, at most 63 characters; the same for every try of one attempt. */
  name: string;
  scanId: string;
  /** Workflow ID and run of the owner, for adoption and sweeping. */
  workflowId: string;
  runId: string;
  sha256: string;
  size: number;
  attempt: number;
  /** The only place this pod can write to: see SLOT. */
  slot: string;
  profile: { name: string; fingerprint: string };
  /** 0 is the first size; each step doubles the engine's memory and scratch. */
  tier: number;
  getUrl: string;
  putUrls: { rebuilt: string; 'report.xml': string; 'report.json': string };
  /** Digest of where these lead: another run's pod that leads elsewhere is not adopted. Without it, any is. */
  places?: string | undefined;
};
export type PodRef = {
  name: string;
  uid: string /** the slot it writes to, from its annotation */;
  slot: string;
};

export const POD_PHASES = ['created', 'scheduled', 'fetching', 'engine', 'uploading'] as const;
export type PodPhase = (typeof POD_PHASES)[number];

export type FailureClass = 'disruption' | 'capacity' | 'configuration' | 'resource' | 'crash' | 'transfer';

/** What the uploader said in its termination message, checked. */
export type UploadReport = {
  verdict: 'rebuilt' | 'refused';
  reason?: string | undefined;
  files: { name: 'rebuilt' | 'report.xml' | 'report.json'; size: number; sha256: string }[];
};
export type PodTimes = {
  createdAt?: string;
  startedAt?: string;
  finishedAt?: string;
  engineSeconds?: number;
};

/** How a pod ended, as data. `reason` is one bounded, escaped sentence. */
export type PodOutcome = (
  | { kind: 'uploaded'; report: UploadReport }
  | { kind: 'refused'; reason: string }
  | { kind: 'changed'; reason: string }
  | { kind: 'source-gone'; reason: string }
  | { kind: 'failed'; class: FailureClass; reason: string }
  | { kind: 'gone'; reason: string }
) & {
  exitCodes: Record<string, number>;
  node?: string;
  times: PodTimes;
  /** What the engine's image resolved to when it ran, `…@sha256:…`, as the kubelet says. */
  engineDigest?: string;
};

/** A file pod as a sweeper sees it. Nothing in it is more trusted than the annotations of a pod. */
export type PodListing = {
  name: string;
  uid: string;
  /** Workflow ID and run of the owner. */
  workflowId: string;
  runId: string;
  /** When the API server made it, by the server's clock: ISO 8601, whole seconds. */
  createdAt: string;
  /** Kubernetes' own, or `Terminating` once its deletion was asked for. */
  phase: string;
};

export type PodWait = {
  /** Called when the pod enters a phase, and about every `heartbeatMs` meanwhile. */
  onProgress?: (phase: PodPhase) => void;
  signal?: AbortSignal;
  /** The content that the pod works on, for the log: a story is found by it. */
  sha256?: string;
};

/** File pods. One shared list+watch behind `await`, whatever the number of waits. */
export interface Pods {
  /** API reachable, namespace there, allowed what this worker does in it; throws DriverError kubernetes.*. */
  check(): Promise<void>;
  /** Creates, or adopts the healthy pod of that name (409). Throws kubernetes.conflict while one is terminating. */
  create(request: FilePodRequest): Promise<PodRef & { adopted: boolean }>;
  /** Resolves with how it ended; rejects with AbortError when `signal` fires. Never deletes. */
  await(pod: PodRef, wait?: PodWait): Promise<PodOutcome>;
  /**
   * The end of a container's log, at most `maxBytes`; null when there is none to be had, also when its node does not
   * answer. Throws kubernetes.unavailable while the API server is away.
   */
  log(pod: PodRef, container: 'fetch' | 'engine' | 'upload', maxBytes: number): Promise<string | null>;
  /** With UID precondition; gone is success. Resolves when the API server has accepted it. */
  remove(pod: { name: string; uid: string }): Promise<void>;
  /** File pods of this installation that exist now. */
  list(): Promise<PodListing[]>;
  close(): Promise<void>;
}
