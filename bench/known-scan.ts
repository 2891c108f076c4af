/** Scans of files that are all known: no pod and no child may come of them. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { FsDestination } from '../drivers/destination/fs.ts';
import type { Logger } from '../drivers/events.ts';
import { parseFileUrl } from '../drivers/file-system/file-url.ts';
import { podName } from '../drivers/kubernetes/pod-name.ts';
import { profileFingerprint } from '../drivers/profile.ts';
import { closeRedis, connectRedis } from '../drivers/redis/connect.ts';
import { createRedisIndex } from '../drivers/redis/index.ts';
import type { ApiRequest } from './api-requests.ts';
import type { BenchDocument } from './documents.ts';
import { median } from './figures.ts';
import { type Known, makeKnownFiles } from './known-files.ts';
import { type Least, leastWork } from './least-work.ts';
import { type Bench, type MeasuredScan, measuredScan } from './measured-scan.ts';

const ROUNDS = 3;
const silent = () => undefined;
const quiet: Logger = { debug: silent, info: silent, warn: silent, error: silent };

/** Longer than the time for which a change is too fresh to be remembered. */
const REST_MS = 4_000;

export type KnownScans = {
  /** Reads and delivers all of them. */
  first: MeasuredScan;
  /** Reads none of them, and verifies what the first has delivered. */
  second: MeasuredScan;
  /** Of `ROUNDS` scans of an empty folder the one that took the middle time. */
  empty: MeasuredScan;
  /** Of `ROUNDS` scans of the same files the one that took the middle time. */
  scan: MeasuredScan;
  least: Least;
};

/** Makes what an earlier scan would have left, in the destination of a scan that has rebuilt `like`. */
export async function openKnown(bench: Bench, destination: string, like: BenchDocument) {
  const { config, redisUrl } = bench.worker;
  const profile = config.profiles.default;
  if (profile === undefined) throw new Error('The worker has no profile named default.');
  const fingerprint = profileFingerprint(profile);
  const redis = connectRedis({ url: redisUrl, log: quiet });
  const index = createRedisIndex(redis, {
    prefix: config.redis.keyPrefix,
    ...config.bloom,
    profiles: [fingerprint],
    log: quiet,
  });
  const place = parseFileUrl(pathToFileURL(destination).href, 'destination', config.files.roots);
  const signer = {
    sign: () => {
      throw new Error('Nothing is signed here.');
    },
  };
  const known: Known = { destination: new FsDestination(place, signer), index, fingerprint, like };
  return {
    /** Files of one scan after the other, and what the least work for them takes. */
    compare: async (count: number): Promise<KnownScans> => {
      const source = join(bench.folder, 'known');
      const documents = await makeKnownFiles(known, source, `${bench.run} known`, count);
      const nothing = join(bench.folder, 'empty');
      await mkdir(nothing);
      const scanAs = (name: string) =>
        scanKnown(bench, `known-${name}`, source, destination, documents, fingerprint);
      await sleep(REST_MS);
      const first = await scanAs('first');
      await sleep(REST_MS);
      const second = await scanAs('second');
      const scan = await middleOf((round) => scanAs(`${round}`));
      const empty = await middleOf((round) =>
        scanKnown(bench, `empty-${round}`, nothing, destination, [], fingerprint),
      );
      const least = await leastWork(source, documents, {
        index,
        fingerprint,
        results: join(destination, 'tree'),
      });
      return { first, second, scan, empty, least };
    },
    /** One scan of many files. */
    many: async (count: number): Promise<MeasuredScan> => {
      const source = join(bench.folder, 'many');
      const documents = await makeKnownFiles(known, source, `${bench.run} many`, count);
      return scanKnown(bench, 'many', source, destination, documents, fingerprint);
    },
    close: () => closeRedis(redis),
  };
}

async function middleOf(scan: (round: number) => Promise<MeasuredScan>): Promise<MeasuredScan> {
  const scans: MeasuredScan[] = [];
  for (let round = 1; round <= ROUNDS; round++) scans.push(await scan(round));
  const middle = median(scans.map(({ seconds }) => seconds));
  const found = scans.find(({ seconds }) => seconds === middle);
  if (found === undefined) throw new Error('an even number of rounds has none in the middle');
  return found;
}

async function scanKnown(
  bench: Bench,
  name: string,
  source: string,
  destination: string,
  documents: readonly BenchDocument[],
  fingerprint: string,
): Promise<MeasuredScan> {
  const files = documents.length;
  const scan = await measuredScan(bench, { name, source, destination, files, expected: 'delivered' });
  const children = scan.runs.flatMap((run) => run.children).length;
  const pods = podsMade(scan.requests ?? [], documents, fingerprint);
  if (children > 0 || pods > 0)
    throw new Error(`A scan of ${files} known files made ${children} children and ${pods} pods.`);
  return scan;
}

/** Pods of these contents that somebody asked the API server for. */
export function podsMade(
  requests: readonly ApiRequest[],
  documents: readonly Pick<BenchDocument, 'sha256'>[],
  fingerprint: string,
): number {
  const names = new Set(documents.map(({ sha256 }) => podName(sha256, fingerprint, 1)));
  return requests.filter(
    ({ verb, resource, name }) =>
      verb === 'create' && resource === 'pods' && name !== undefined && names.has(name),
  ).length;
}
