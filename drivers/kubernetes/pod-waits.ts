import type { DriverError } from '../errors.ts';
import type { Logger } from '../events.ts';
import type { PodOutcome, PodPhase, PodWait } from '../ports.ts';
import { circumstances, podOutcome, podPhase } from './pod-outcome.ts';
import { anyStarted, mistake, type Observed, overdue, PATIENCE, type Patience } from './pod-trouble.ts';
import type { PodSink } from './pod-watch.ts';
import type { SlimPod } from './slim-pod.ts';

export type PodWaitsSettings = {
  /** About how often `onProgress` is called while nothing changes. */
  heartbeatMs: number;
  /** A pod that no event has shown for this long makes a new list begin. */
  unseenMs: number;
  /** After so long without the API server the waits fail and may be tried again. */
  unreachableMs: number;
  patience: Patience;
};
export const POD_WAITS_SETTINGS: PodWaitsSettings = {
  heartbeatMs: 5_000,
  unseenMs: 2_000,
  unreachableMs: 300_000,
  patience: PATIENCE,
};

/** What waits need of the watch. */
export type Lists = { readonly listsBegun: number; relist(): void };

const TICK_MS = 1_000;

type Waiting = {
  name: string;
  uid: string;
  onProgress: PodWait['onProgress'];
  settle: (outcome: PodOutcome) => void;
  fail: (error: unknown) => void;
  /** Last seen state; null until then. */
  pod: SlimPod | null;
  phase: PodPhase;
  /** Only lists with a higher number can say that the pod is gone. */
  sinceList: number;
  since: number;
  troubledSince: number | null;
  startedSince: number | null;
  /** Lists begun when its time was found to be up: a later one has to confirm that it has not ended. */
  overdueSince: number | null;
  unseenAsked: boolean;
  beatAt: number;
};

/**
 * Who waits for which pod. Everything is decided by comparing states; a wait that begins late, an event that is
 * lost and one that comes twice make no difference but in time.
 */
export class PodWaits implements PodSink {
  readonly #lists: () => Lists;
  readonly #settings: PodWaitsSettings;
  readonly #log: Logger;
  readonly #waits = new Map<string, Set<Waiting>>();
  #pods = new Map<string, SlimPod>();
  #ticker: NodeJS.Timeout | undefined;

  constructor(lists: () => Lists, log: Logger, settings: PodWaitsSettings = POD_WAITS_SETTINGS) {
    this.#lists = lists;
    this.#log = log;
    this.#settings = settings;
  }

  /** The pod that had the name when last seen. */
  named(name: string): SlimPod | undefined {
    return this.#pods.get(name);
  }

  /** The pod as last seen, if it is the one of that UID. */
  seen(name: string, uid: string): SlimPod | null {
    const pod = this.#pods.get(name);
    return pod?.uid === uid ? pod : null;
  }

  /** Resolves once it has ended, is gone or has used up its time; rejects with AbortError when `signal` fires. */
  wait(ref: { name: string; uid: string }, { onProgress, signal }: PodWait): Promise<PodOutcome> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(abortError(signal));
      const now = performance.now();
      const end = () => {
        signal?.removeEventListener('abort', onAbort);
        this.#remove(wait);
      };
      const wait: Waiting = {
        name: ref.name,
        uid: ref.uid,
        onProgress,
        settle: (outcome) => {
          end();
          resolve(outcome);
        },
        fail: (error) => {
          end();
          reject(error);
        },
        pod: null,
        phase: 'created',
        sinceList: this.#lists().listsBegun,
        since: now,
        troubledSince: null,
        startedSince: null,
        overdueSince: null,
        unseenAsked: false,
        beatAt: now,
      };
      const onAbort = () => wait.fail(abortError(signal));
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#add(wait);
      this.#progress(wait, now);
      const known = this.seen(ref.name, ref.uid);
      if (known) this.#observe(wait, known);
    });
  }

  listed(pods: ReadonlyMap<string, SlimPod>, list: number): void {
    this.#pods = new Map(pods);
    for (const wait of this.#all()) {
      const pod = this.seen(wait.name, wait.uid);
      if (pod) {
        this.#observe(wait, pod);
        this.#giveUp(wait, list);
      } else if (list > wait.sinceList) {
        wait.settle(gone(wait.pod));
      }
    }
  }

  changed(pod: SlimPod): void {
    this.#pods.set(pod.name, pod);
    for (const wait of this.#of(pod.name)) {
      if (wait.uid === pod.uid) this.#observe(wait, pod);
      // Another has the name, so ours is gone; unless this event is about a pod before ours.
      else if (wait.pod) wait.settle(gone(wait.pod));
    }
  }

  deleted(pod: SlimPod): void {
    if (this.seen(pod.name, pod.uid)) this.#pods.delete(pod.name);
    for (const wait of this.#of(pod.name))
      if (wait.uid === pod.uid) wait.settle(podOutcome(pod) ?? gone(pod));
  }

  unreachable(error: DriverError, forMs: number): void {
    if (forMs < this.#settings.unreachableMs) return;
    for (const wait of this.#all()) wait.fail(error);
  }

  /** Ends all waits with an AbortError. */
  close(): void {
    for (const wait of this.#all()) wait.fail(abortError(undefined));
  }

  #observe(wait: Waiting, pod: SlimPod): void {
    wait.pod = pod;
    const outcome = podOutcome(pod);
    if (outcome) {
      wait.settle(outcome);
      return;
    }
    const now = performance.now();
    wait.troubledSince = mistake(pod) === null ? null : (wait.troubledSince ?? now);
    wait.startedSince ??= anyStarted(pod) ? now : null;
    const phase = podPhase(pod);
    if (phase === wait.phase) return;
    wait.phase = phase;
    this.#progress(wait, now);
  }

  /** Settles a wait whose pod's time is up, if list number `list` began after that was noticed. */
  #giveUp(wait: Waiting, list: number): void {
    if (wait.overdueSince === null || list <= wait.overdueSince || !wait.pod || !this.#has(wait)) return;
    const verdict = overdue(wait.pod, observed(wait, performance.now()), this.#settings.patience);
    if (!verdict) {
      wait.overdueSince = null;
      return;
    }

    wait.settle({ kind: 'failed', ...verdict, ...circumstances(wait.pod) });
  }

  #tick(): void {
    const now = performance.now();
    for (const wait of this.#all()) {
      if (now - wait.beatAt >= this.#settings.heartbeatMs) this.#progress(wait, now);
      if (this.#asksForList(wait, now)) this.#lists().relist();
    }
  }

  #asksForList(wait: Waiting, now: number): boolean {
    const { listsBegun } = this.#lists();
    if (!wait.pod) {
      const ask =
        !wait.unseenAsked && listsBegun <= wait.sinceList && now - wait.since >= this.#settings.unseenMs;
      wait.unseenAsked ||= ask;
      return ask;
    }
    if (wait.overdueSince !== null) return false;
    if (!overdue(wait.pod, observed(wait, now), this.#settings.patience)) return false;
    wait.overdueSince = listsBegun;
    return true;
  }

  #progress(wait: Waiting, now: number): void {
    wait.beatAt = now;
    try {
      wait.onProgress?.(wait.phase);
    } catch (error) {
      // One caller's fault must not keep the others from hearing of their pods.
      this.#log.warn({ pod: wait.name, err: error }, 'onProgress threw');
    }
  }

  #add(wait: Waiting): void {
    const same = this.#waits.get(wait.name) ?? new Set();
    this.#waits.set(wait.name, same.add(wait));
    this.#ticker ??= setInterval(() => this.#tick(), TICK_MS);
  }

  #remove(wait: Waiting): void {
    const same = this.#waits.get(wait.name);
    same?.delete(wait);
    if (same?.size === 0) this.#waits.delete(wait.name);
    if (this.#waits.size > 0) return;
    clearInterval(this.#ticker);
    this.#ticker = undefined;
  }

  #has(wait: Waiting): boolean {
    return this.#waits.get(wait.name)?.has(wait) ?? false;
  }

  /** Copies: settling removes. */
  #of(name: string): Waiting[] {
    return [...(this.#waits.get(name) ?? [])];
  }

  #all(): Waiting[] {
    return [...this.#waits.values()].flatMap((same) => [...same]);
  }
}

function observed(wait: Waiting, now: number): Observed {
  const since = (start: number | null) => (start === null ? null : now - start);
  return {
    waitedMs: now - wait.since,
    troubledMs: since(wait.troubledSince),
    startedMs: since(wait.startedSince),
  };
}

function gone(pod: SlimPod | null): PodOutcome {
  const reason = 'The pod is not there any more, and how it ended was not seen.';
  return { kind: 'gone', reason, ...(pod ? circumstances(pod) : { exitCodes: {}, times: {} }) };
}

function abortError(signal: AbortSignal | undefined): DOMException {
  return new DOMException('The wait for the pod was given up.', {
    name: 'AbortError',
    cause: signal?.reason,
  });
}
