import type { DriverError } from '../errors.ts';
import { EVENT, type Logger } from '../events.ts';
import type { PodOutcome, PodWait } from '../ports.ts';
import { PATIENCE } from './pod-trouble.ts';
import { PodWaiting, type PodWaitsSettings } from './pod-waiting.ts';
import type { PodSink } from './pod-watch.ts';
import type { SlimPod } from './slim-pod.ts';

export const POD_WAITS_SETTINGS: PodWaitsSettings = {
  heartbeatMs: 5_000,
  unseenMs: 2_000,
  unreachableMs: 300_000,
  patience: PATIENCE,
};

/** What waits need of the watch. */
export type Lists = { readonly listsBegun: number; relist(): void };

const TICK_MS = 1_000;

/**
 * Who waits for which pod. Everything is decided by comparing states; a wait that begins late, an event that is
 * lost and one that comes twice make no difference but in time.
 */
export class PodWaits implements PodSink {
  readonly #lists: () => Lists;
  readonly #settings: PodWaitsSettings;
  readonly #log: Logger;
  readonly #waits = new Map<string, Set<PodWaiting>>();
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

  /** Resolves once it has ended, is gone or has used up its time; rejects with AbortError when `signal` fires. */
  wait(pod: { name: string; uid: string }, { onProgress, signal }: PodWait): Promise<PodOutcome> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(abortError(signal));
        return;
      }
      const onAbort = () => wait.fail(abortError(signal));
      const end = () => {
        signal?.removeEventListener('abort', onAbort);
        this.#remove(wait);
      };
      const wait = new PodWaiting(pod, onProgress, this.#lists().listsBegun, this.#settings, {
        settle: (outcome) => {
          end();
          resolve(outcome);
        },
        fail: (error) => {
          end();
          reject(error);
        },
      });
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#add(wait);
      this.#guarded(wait, () => wait.beat());
      const known = this.#pods.get(pod.name);
      if (known?.uid === pod.uid) this.#guarded(wait, () => wait.observe(known));
    });
  }

  listed(pods: ReadonlyMap<string, SlimPod>, list: number): void {
    this.#pods = new Map(pods);
    for (const wait of this.#all()) {
      const pod = pods.get(wait.name);
      if (pod?.uid === wait.uid) this.#guarded(wait, () => wait.listed(pod, list));
      else wait.missing(list);
    }
  }

  changed(pod: SlimPod): void {
    this.#pods.set(pod.name, pod);
    for (const wait of this.#of(pod.name)) {
      if (wait.uid === pod.uid) this.#guarded(wait, () => wait.observe(pod));
      else wait.replaced();
    }
  }

  deleted(pod: SlimPod): void {
    if (this.#pods.get(pod.name)?.uid === pod.uid) this.#pods.delete(pod.name);
    for (const wait of this.#of(pod.name)) if (wait.uid === pod.uid) wait.deleted(pod);
  }

  unreachable(error: DriverError, forMs: number): void {
    if (forMs < this.#settings.unreachableMs) return;
    for (const wait of this.#all()) wait.fail(error);
  }

  /** Ends all waits with an AbortError. */
  close(): void {
    for (const wait of this.#all()) wait.fail(abortError(undefined));
  }

  #tick(): void {
    const { listsBegun } = this.#lists();
    const needs = this.#all().filter((wait) => {
      if (wait.isBeatDue()) this.#guarded(wait, () => wait.beat());
      return wait.needsList(listsBegun);
    });
    if (needs.length > 0) this.#lists().relist();
  }

  /** One caller's fault in `onProgress` must not keep the others from hearing of their pods. */
  #guarded(wait: PodWaiting, act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#log.warn({ event: EVENT.watchUnheard, pod: wait.name, err: error }, 'onProgress threw');
    }
  }

  #add(wait: PodWaiting): void {
    const same = this.#waits.get(wait.name) ?? new Set();
    this.#waits.set(wait.name, same.add(wait));
    this.#ticker ??= setInterval(() => this.#tick(), TICK_MS);
  }

  #remove(wait: PodWaiting): void {
    const same = this.#waits.get(wait.name);
    same?.delete(wait);
    if (same?.size === 0) this.#waits.delete(wait.name);
    if (this.#waits.size > 0) return;
    clearInterval(this.#ticker);
    this.#ticker = undefined;
  }

  /** Copies: what ends is removed. */
  #of(name: string): PodWaiting[] {
    return [...(this.#waits.get(name) ?? [])];
  }

  #all(): PodWaiting[] {
    return [...this.#waits.values()].flatMap((same) => [...same]);
  }
}

function abortError(signal: AbortSignal | undefined): DOMException {
  return new DOMException('The wait for the pod was given up.', {
    name: 'AbortError',
    cause: signal?.reason,
  });
}
