/**
 * The event vocabulary: what a log line's `event` field can say, `noun.verb`. Dashboards and alarms go by
 * these names, so an event is renamed only with a note in the changelog. This file imports nothing but types.
 */
import type { LogValues } from './log-fields.ts';

export const EVENT = {
  /** A scan passed its checks and begins to list. */
  scanStarted: 'scan.started',
  /** One page of the source was listed and hashed. */
  scanPageListed: 'scan.page_listed',
  /** A scan wrote its manifest and summary. */
  scanFinished: 'scan.finished',
  /** One file has its outcome. */
  fileSettled: 'file.settled',

  /** A content is ours to work on. */
  lockAcquired: 'lock.acquired',
  /** Another run works on this content. */
  lockDenied: 'lock.denied',
  /** Our lock ran out or was broken while we worked: the receipt decides who wins. */
  lockLost: 'lock.lost',

  /** The API server accepted a new file pod. */
  podCreated: 'pod.created',
  /** A healthy pod of this attempt was there already and is used. */
  podAdopted: 'pod.adopted',
  /** The API server did not take a file pod: `class` is capacity for a full quota, else configuration. */
  podRefused: 'pod.refused',
  /** A file pod has its outcome. */
  podEnded: 'pod.ended',
  /** The API server accepted the deletion of a file pod. */
  podDeleted: 'pod.deleted',
  /** The sweeper found a pod whose workflow is over; it looks again before it does anything. */
  podSuspected: 'pod.suspected',
  /** The workflow was over the second time too: the sweeper deletes the pod. */
  podOrphaned: 'pod.orphaned',
  /** The sweeper could not learn whose pods are still waited for, or not delete one. */
  sweepFailed: 'sweep.failed',

  /** The shared list+watch on file pods runs. */
  watchStarted: 'watch.started',
  /** All file pods were listed anew and compared with the waits. */
  watchRelisted: 'watch.relisted',
  /** Nothing came through the watch for its idle time: it is opened again. */
  watchStalled: 'watch.stalled',
  /** The API server no longer knows the watch's resource version (410). */
  watchExpired: 'watch.expired',
  /** The watch could not be opened, or broke; it is opened again. */
  watchFailed: 'watch.failed',
  /** Who waits for a pod could not be told how far it is; the pod's end is told all the same. */
  watchUnheard: 'watch.unheard',

  /** The end of one container's log of one attempt: hostile text, bounded. Whole logs lie with the content. */
  containerLogged: 'container.logged',
  /** A container's log could not be read (its node does not answer, or no right to): the result goes on without. */
  containerLogLost: 'container.log_lost',

  /** This attempt's upload was verified and its receipt written. */
  resultCommitted: 'result.committed',
  /** What lies in the slot is not what the pod said, or not allowed. */
  resultRejected: 'result.rejected',
  /** A receipt of earlier work was found: no pod is needed. */
  resultFound: 'result.found',
  /** A record names a destination that this worker can't go to any more, or whose receipt can't be read: rebuilt. */
  contentOutOfReach: 'content.out_of_reach',
  /** The index was told that a content is done. */
  contentRecorded: 'content.recorded',
  /** An operator cleared a quarantined content: the next scan that meets it runs its engine again. */
  quarantineCleared: 'quarantine.cleared',
  /** What stood under a file's path was taken away, since it is not this file's rebuilt content any more. */
  deliveryWithdrawn: 'delivery.withdrawn',

  /** The Bloom filter holds more than it was reserved for and took another layer: raise its capacity. */
  indexFilterGrown: 'index.filter_grown',
  /** The Bloom filter is gone or older than the exact records: these answer until it is filled again. */
  indexFilterLost: 'index.filter_lost',
  /** The Bloom filter was filled again from the exact records. */
  indexFilterFilled: 'index.filter_filled',
  /** The index was made anew from receipts. */
  indexRebuilt: 'index.rebuilt',
  /** etcd's database is near its quota, past which it takes no writes: compact, defragment, or raise it. */
  indexStoreFilling: 'index.store_filling',
  /** The connection to Redis or etcd broke or could not be made; it is tried again. */
  indexDisconnected: 'index.disconnected',
  /** The connection to Redis or etcd stands. */
  indexConnected: 'index.connected',

  /** The file server or the codec server listens. */
  serverStarted: 'server.started',
  /** Half-written uploads of a file server that died could not be removed; the next start tries again. */
  leftoversKept: 'leftovers.kept',
  /** The file server refused a link: expired, tampered with, or not made for this. */
  linkRefused: 'link.refused',
  /** The file server sent or took in a whole file. */
  linkServed: 'link.served',
  /** The file server could not send or take in a file that its link allows. */
  linkFailed: 'link.failed',

  /** The codec server encoded or decoded payloads for somebody. */
  codecUsed: 'codec.used',
  /** The codec server refused: no or another token, namespace or origin, or a payload that does not open. */
  codecRefused: 'codec.refused',

  /** The codec server took the new certificate that its files hold. */
  certificateRenewed: 'certificate.renewed',
  /** What its files hold can't be used: the codec server keeps the certificate it has, and looks again. */
  certificateRefused: 'certificate.refused',

  /** The destination has no conditional create and single-writer mode is on: nobody else may write there. */
  destinationSingleWriter: 'destination.single_writer',

  /** A worker starts and says what it is configured with. It polls once `/readyz` says so. */
  workerStarted: 'worker.started',
  /** Search attributes could not be set up: scans run without. */
  workerWithoutSearchAttributes: 'worker.without_search_attributes',
  /** A worker was told to stop and finishes what it has begun. */
  workerDraining: 'worker.draining',
  /** A worker is about to exit. */
  workerStopped: 'worker.stopped',
  /** A line of the Temporal SDK's own log, or of its bundler's. */
  sdkLogged: 'sdk.logged',
  /** Lines were lost while nobody took them from stdout, or its disk was full; they are taken again. */
  logDropped: 'log.dropped',
} as const;
export type EventName = (typeof EVENT)[keyof typeof EVENT];

/** Fields of one line: each is an event. No secret, link or undecoded file name goes in; `err` is an Error. */
export type LogFields = { event: EventName; err?: unknown } & LogValues;

/** As much of a logger as drivers and activities need. `message` is one sentence for a person. */
export type Logger = {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
};
