import type { PodEvent, PodFeed, PodPage } from '../../../../drivers/kubernetes/pod-feed.ts';
import type { SlimPod } from '../../../../drivers/kubernetes/slim-pod.ts';

type Step = { event: PodEvent } | { end: true } | { error: unknown };

/** One watch as the test holds its other end. */
export class ScriptedWatch {
  readonly from: string;
  readonly signal: AbortSignal;
  readonly #steps: Step[] = [];
  #wake: (() => void) | undefined;

  constructor(from: string, signal: AbortSignal) {
    this.from = from;
    this.signal = signal;
  }

  present(pod: SlimPod): void {
    this.#push({ event: { type: 'present', pod } });
  }

  deleted(pod: SlimPod): void {
    this.#push({ event: { type: 'deleted', pod } });
  }

  bookmark(resourceVersion: string): void {
    this.#push({ event: { type: 'bookmark', resourceVersion } });
  }

  end(): void {
    this.#push({ end: true });
  }

  fail(error: unknown): void {
    this.#push({ error });
  }

  /** Deaf to the signal on purpose: a stuck stream is one that does not listen. */
  async *events(): AsyncGenerator<PodEvent> {
    for (;;) {
      const step = this.#steps.shift();
      if (!step) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      } else if ('event' in step) yield step.event;
      else if ('error' in step) throw step.error;
      else return;
    }
  }

  #push(step: Step): void {
    this.#steps.push(step);
    this.#wake?.();
  }
}

/** A server that a test plays: what exists, how it pages, what each list and watch fails with. */
export class ScriptedFeed implements PodFeed {
  pods: SlimPod[] = [];
  resourceVersion = '100';
  pageSize = 500;
  /** One error each for the next lists and watches. */
  listErrors: unknown[] = [];
  watchErrors: unknown[] = [];
  /** Lists wait for it, when it is there. */
  gate: Promise<void> | undefined;
  lists = 0;
  reconnects = 0;
  readonly watches: ScriptedWatch[] = [];

  get current(): ScriptedWatch {
    const last = this.watches.at(-1);
    if (!last) throw new Error('nothing watches');
    return last;
  }

  async list(next: string | undefined): Promise<PodPage> {
    if (next === undefined) this.lists++;
    const error = this.listErrors.shift();
    if (error) throw error;
    const from = Number(next ?? 0);
    const page = {
      pods: this.pods.slice(from, from + this.pageSize),
      resourceVersion: this.resourceVersion,
      next: from + this.pageSize < this.pods.length ? String(from + this.pageSize) : undefined,
    };
    await this.gate;
    return page;
  }

  watch(resourceVersion: string, signal: AbortSignal): AsyncIterable<PodEvent> {
    const watch = new ScriptedWatch(resourceVersion, signal);
    this.watches.push(watch);
    const error = this.watchErrors.shift();
    if (error) watch.fail(error);
    return watch.events();
  }

  reconnect(): void {
    this.reconnects++;
  }
}
