import type { PodOutcome, PodPhase, PodWait } from '../ports.ts';
import { circumstances, podOutcome, podPhase } from './pod-outcome.ts';
import { anyStarted, mistake, type Observed, overdue, type Patience } from './pod-trouble.ts';
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

/** How a wait ends, once. */
export type Ending = { settle(outcome: PodOutcome): void; fail(error: unknown): void };

/** One wait for one pod: what has been seen of it since, and what follows from that. */
export class PodWaiting {
  readonly name: string;
  readonly uid: string;
  /** The wait is over: settled or failed. */
  over = false;
  readonly #settings: PodWaitsSettings;
  readonly #onProgress: PodWait['onProgress'];
  readonly #ending: Ending;
  /** Only lists with a higher number can say that the pod is gone. */
  readonly #sinceList: number;
  readonly #since = performance.now();
  #pod: SlimPod | null = null;
  #phase: PodPhase = 'created';
  #beatAt = this.#since;
  #troubledSince: number | null = null;
  #startedSince: number | null = null;
  /** Lists begun when its time was found to be up: a later one has to confirm that it has not ended. */
  #overdueSince: number | null = null;
  #askedUnseen = false;

  constructor(
    pod: { name: string; uid: string },
    onProgress: PodWait['onProgress'],
    listsBegun: number,
    settings: PodWaitsSettings,
    ending: Ending,
  ) {
    this.name = pod.name;
    this.uid = pod.uid;
    this.#onProgress = onProgress;
    this.#sinceList = listsBegun;
    this.#settings = settings;
    this.#ending = ending;
  }

  fail(error: unknown): void {
    if (this.over) return;
    this.over = true;
    this.#ending.fail(error);
  }

  /** Its state now. Ends the wait when that is an end. May throw what `onProgress` throws. */
  observe(pod: SlimPod): void {
    this.#pod = pod;
    const outcome = podOutcome(pod);
    if (outcome) {
      this.#settle(outcome);
      return;
    }
    const now = performance.now();
    this.#troubledSince = mistake(pod) === null ? null : (this.#troubledSince ?? now);
    this.#startedSince ??= anyStarted(pod) ? now : null;
    const phase = podPhase(pod);
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.beat();
  }

  /** A list has its pod in this state. Ends the wait, too, when its time was up before that list began. */
  listed(pod: SlimPod, list: number): void {
    this.observe(pod);
    if (this.over || this.#overdueSince === null || list <= this.#overdueSince) return;
    const verdict = overdue(pod, this.#observed(), this.#settings.patience);
    if (verdict) this.#settle({ kind: 'failed', ...verdict, ...circumstances(pod) });
    else this.#overdueSince = null;
  }

  /** A list does not have its pod. */
  missing(list: number): void {
    if (list > this.#sinceList) this.#settle(gone(this.#pod));
  }

  /** Another pod has its name. So ours is gone, unless this is news about a pod before ours. */
  replaced(): void {
    if (this.#pod) this.#settle(gone(this.#pod));
  }

  /** It was deleted, in this last state. */
  deleted(last: SlimPod): void {
    this.#settle(podOutcome(last) ?? gone(last));
  }

  /** Tells where it is. May throw what `onProgress` throws. */
  beat(): void {
    this.#beatAt = performance.now();
    this.#onProgress?.(this.#phase);
  }

  isBeatDue(): boolean {
    return performance.now() - this.#beatAt >= this.#settings.heartbeatMs;
  }

  /** Whether only a new list can tell how it goes on; true once for each occasion. */
  needsList(listsBegun: number): boolean {
    if (!this.#pod) {
      const unseen = performance.now() - this.#since >= this.#settings.unseenMs;
      if (this.#askedUnseen || !unseen || listsBegun > this.#sinceList) return false;
      this.#askedUnseen = true;
      return true;
    }
    if (this.#overdueSince !== null) return false;
    if (!overdue(this.#pod, this.#observed(), this.#settings.patience)) return false;
    this.#overdueSince = listsBegun;
    return true;
  }

  #settle(outcome: PodOutcome): void {
    if (this.over) return;
    this.over = true;
    this.#ending.settle(outcome);
  }

  #observed(): Observed {
    const now = performance.now();
    const since = (start: number | null) => (start === null ? null : now - start);
    return {
      waitedMs: now - this.#since,
      troubledMs: since(this.#troubledSince),
      startedMs: since(this.#startedSince),
    };
  }
}

function gone(pod: SlimPod | null): PodOutcome {
  const reason = 'The pod is not there any more, and how it ended was not seen.';
  return { kind: 'gone', reason, ...(pod ? circumstances(pod) : { exitCodes: {}, times: {} }) };
}
