import { DriverError } from '../errors.ts';
import { EVENT, type Logger } from '../events.ts';
import { driverError } from './kube-error.ts';
import { FeedExpired, type PodEvent, type PodFeed } from './pod-feed.ts';
import type { SlimPod } from './slim-pod.ts';
import { sleep, untilAborted } from './until-aborted.ts';

/** Who is told. All calls are synchronous; none may throw. */
export interface PodSink {
  /** All that exist, as of list number `list`. A pod that is not in it was gone after that list had begun. */
  listed(pods: ReadonlyMap<string, SlimPod>, list: number): void;
  changed(pod: SlimPod): void;
  /** `pod` as it was last. */
  deleted(pod: SlimPod): void;
  /** The API server has given nothing usable for `forMs`. Called at every failure. */
  unreachable(error: DriverError, forMs: number): void;
}

export type PodWatchSettings = {
  /** Longest silence, bookmarks included. The server itself ends each watch before, so silence is a fault. */
  idleMs: number;
  /** A new list at least this often (and 10 % later at random): a watch that lost an event heals by it. */
  relistMs: number;
  /** Delays after failures double from the first to the second, each at random between half and all of it. */
  backoffMs: readonly [number, number];
  random: () => number;
};
export const POD_WATCH_SETTINGS: PodWatchSettings = {
  idleMs: 40_000,
  relistMs: 300_000,
  backoffMs: [250, 15_000],
  random: Math.random,
};

class Stalled extends Error {}
class RelistWanted extends Error {}

/**
 * One list+watch for everyone, level-triggered: events only make news arrive early, the lists decide.
 * It goes on until `close`, whatever happens.
 */
export class PodWatch {
  readonly #feed: PodFeed;
  readonly #sink: PodSink;
  readonly #settings: PodWatchSettings;
  readonly #log: Logger;
  readonly #closed = new AbortController();
  #running: Promise<void> | undefined;
  #watching: AbortController | undefined;
  #relistWanted = false;
  #lists = 0;
  #failures = 0;
  #lastContact = performance.now();

  constructor(feed: PodFeed, sink: PodSink, log: Logger, settings: PodWatchSettings = POD_WATCH_SETTINGS) {
    this.#feed = feed;
    this.#sink = sink;
    this.#log = log;
    this.#settings = settings;
  }

  start(): void {
    if (this.#running || this.#closed.signal.aborted) return;
    this.#lastContact = performance.now();
    this.#running = this.#run();
  }

  /** How many lists have begun. Only a later one can say that something is gone that exists now. */
  get listsBegun(): number {
    return this.#lists;
  }

  /** Makes a new list begin as soon as the one under way, or a back-off, is over. */
  relist(): void {
    this.#relistWanted = true;
    this.#watching?.abort(new RelistWanted());
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#watching?.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      try {
        await this.#follow(await this.#list());
      } catch (error) {
        if (signal.aborted) return;
        await this.#afterFailure(error);
      }
    }
  }

  async #afterFailure(error: unknown): Promise<void> {
    this.#failures++;
    if (error instanceof FeedExpired) {
      this.#log.info({ event: EVENT.watchExpired }, 'the watch on pods has expired');
      // Expected after a pause; a second in a row without an event between them is not.
      if (this.#failures === 1) return;
    } else if (error instanceof Stalled) {
      this.#log.warn(
        { event: EVENT.watchStalled, idleMs: this.#settings.idleMs },
        'nothing came through the watch on pods',
      );
      this.#feed.reconnect?.();
      if (this.#failures === 1) return;
    } else {
      const known = driverError(error, 'watch the pods', { renewable: true });
      const failure =
        known instanceof DriverError
          ? known
          : new DriverError('kubernetes.unavailable', 'Could not watch the pods.', {
              retryable: true,
              cause: known,
            });
      this.#log.warn(
        { event: EVENT.watchFailed, code: failure.code, failures: this.#failures },
        failure.message,
      );
      this.#feed.reconnect?.();
      this.#sink.unreachable(failure, performance.now() - this.#lastContact);
    }
    const [first, most] = this.#settings.backoffMs;
    const delay = Math.min(most, first * 2 ** Math.min(this.#failures - 1, 20));
    await sleep(delay * (0.5 + 0.5 * this.#settings.random()), this.#closed.signal);
  }

  async #list(): Promise<string> {
    this.#relistWanted = false;
    const list = ++this.#lists;
    const pods = new Map<string, SlimPod>();
    let next: string | undefined;
    let version: string;
    do {
      const page = await this.#feed.list(next, this.#closed.signal);
      for (const pod of page.pods) pods.set(pod.name, pod);
      version = page.resourceVersion;
      next = page.next;
    } while (next !== undefined);
    this.#lastContact = performance.now();
    if (list === 1) this.#log.info({ event: EVENT.watchStarted, pods: pods.size }, 'watching file pods');
    else this.#log.debug({ event: EVENT.watchRelisted, pods: pods.size }, 'file pods listed anew');
    this.#sink.listed(pods, list);
    return version;
  }

  /** Watches on from one list until the next is due. */
  async #follow(from: string): Promise<void> {
    const { relistMs, random } = this.#settings;
    const due = performance.now() + relistMs * (1 + 0.1 * random());
    let version = from;
    while (!this.#closed.signal.aborted && !this.#relistWanted && performance.now() < due) {
      const began = performance.now();
      const end = await this.#watchOnce(version);
      // A server that closes at once and says nothing would be asked without a pause.
      if (end.events === 0 && performance.now() - began < 1000) throw new Error('The watch ended at once.');
      this.#succeeded();
      version = end.version;
    }
  }

  async #watchOnce(from: string): Promise<{ version: string; events: number }> {
    const abort = new AbortController();
    this.#watching = abort;
    let version = from;
    let events = 0;
    let idle: NodeJS.Timeout | undefined;
    const awake = () => {
      clearTimeout(idle);
      idle = setTimeout(() => abort.abort(new Stalled()), this.#settings.idleMs);
    };
    try {
      awake();
      for await (const event of untilAborted(this.#feed.watch(version, abort.signal), abort.signal)) {
        awake();
        events++;
        this.#succeeded();
        version = this.#take(event, version);
      }
      return { version, events };
    } catch (error) {
      const why = abort.signal.aborted ? abort.signal.reason : error;
      if (why instanceof RelistWanted) return { version, events: events + 1 };
      throw why;
    } finally {
      clearTimeout(idle);
      this.#watching = undefined;
      abort.abort();
    }
  }

  /** Returns the version to go on from. An event that is not newer than what was seen is old news. */
  #take(event: PodEvent, version: string): string {
    const newer = event.type === 'bookmark' ? event.resourceVersion : event.pod.resourceVersion;
    if (!isNewer(newer, version)) return version;
    if (event.type === 'present') this.#sink.changed(event.pod);
    if (event.type === 'deleted') this.#sink.deleted(event.pod);
    return newer;
  }

  #succeeded(): void {
    this.#failures = 0;
    this.#lastContact = performance.now();
  }
}

/**
 * Resource versions of one resource are decimal and comparable (KEP-5504); where a server has others, every event
 * is taken as it comes.
 */
function isNewer(version: string, than: string): boolean {
  if (!/^\d+$/.test(version) || !/^\d+$/.test(than)) return true;
  return BigInt(version) > BigInt(than);
}
