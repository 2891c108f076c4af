/** Where the shared watch has its pods from. Separate, so that tests can stall, cut and reorder it. */
import type { SlimPod } from './slim-pod.ts';

export type PodPage = {
  pods: SlimPod[];
  /** Of the whole list, the same on every page. */
  resourceVersion: string;
  /** For the following page; absent at the end. */
  next?: string | undefined;
};

export type PodEvent =
  | { type: 'present' | 'deleted'; pod: SlimPod }
  | { type: 'bookmark'; resourceVersion: string };

export interface PodFeed {
  /** One page of what exists now. Throws FeedExpired (410) when the list must begin anew. */
  list(next: string | undefined, signal: AbortSignal): Promise<PodPage>;
  /**
   * Changes after `resourceVersion` until the server closes, which is normal, or `signal` fires. Throws FeedExpired
   * when the version is too old (410 as status or as event), and anything else for a broken stream.
   */
  watch(resourceVersion: string, signal: AbortSignal): AsyncIterable<PodEvent>;
  /** Called after a silence: kept connections may be dead. */
  reconnect?(): void;
}

/** 410 Gone: the server does not remember that far back. Nothing is lost; a new list tells all. */
export class FeedExpired extends Error {
  constructor() {
    super('The resource version is too old.');
    this.name = 'FeedExpired';
  }
}
