/**
 * Workers that the chart has installed, beside the bench's own worker on the host: how long it takes from
 * `helm install` to the first file, the same scans by both, and what both cost while nothing is scanned.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { ScanClient } from '../cli/scan-client.ts';
import type { Layout } from '../cluster/layout.ts';
import { benchDocuments } from './documents.ts';
import { idleCosts } from './idle.ts';
import { idleLines, installedLines, type Round, type Side } from './installed-lines.ts';
import type { Interrupts } from './interrupts.ts';
import type { Bench } from './measured-scan.ts';
import { type OwnRelease, openOwnRelease } from './own-release.ts';
import { watchCommands } from './redis-commands.ts';
import { timedScan } from './timed-scan.ts';

/** What only one of several in a row has to bear, like a cache that fills, is shared fairly. */
const ORDER: readonly Side[] = ['host', 'cluster', 'cluster', 'host'];

/** A node of two cores has room for so many file pods beside the workers' own requests. */
const MOST_AT_ONCE = 10;

/** For what the scans leave to end: renewals, deletions. */
const SETTLE_MS = 15_000;

/** Name of the bench's own worker at the API server. */
const HOST_USER = 'pristine-worker';

export type InstalledSettings = {
  /** Of one scan. */
  files: number;
  parallel: number;
  /** Measured idle; 0: not. */
  idleSeconds: number;
  /** Address of this machine that pods reach. */
  host: string;
};

/** Says its figures as lines. The release is removed at the end, whatever it is. */
export async function measureInstalled(
  layout: Layout,
  bench: Bench,
  settings: InstalledSettings,
  interrupts: Interrupts,
  say: (...lines: string[]) => void,
): Promise<void> {
  const { files, idleSeconds } = settings;
  const parallel = Math.min(settings.parallel, MOST_AT_ONCE);
  const release = await openOwnRelease(layout, bench, settings.host, interrupts);
  try {
    say('Installing: helm install --wait, and a scan of one file…');
    const began = performance.now();
    await release.install();
    await rebuild(bench, release, { side: 'cluster', name: 'first', files: 1, parallel });
    const firstFile = (performance.now() - began) / 1000;

    // A Redis that is watched answers a little later: both are.
    const commands = await watchCommands(await release.redisUrl(), bench.scripts);
    try {
      say(`Warming up both with ${parallel} files, then ${files} files a scan: ${ORDER.join(', ')}…`);
      const scan = (side: Side, name: string, many: number) =>
        rebuild(bench, release, { side, name, files: many, parallel });
      for (const side of ['host', 'cluster'] as const) await scan(side, `warm-${side}`, parallel);
      const rounds: Round[] = [];
      for (const [turn, side] of ORDER.entries())
        rounds.push({ side, files, seconds: await scan(side, `turn-${turn}`, files) });
      say('', `Workers installed by the chart: ${files} files a scan, ${parallel} at a time`, '');
      say(...installedLines(rounds, firstFile));

      if (idleSeconds === 0) return;
      const sides = [
        {
          what: 'host',
          metricsUrls: [bench.worker.metricsUrl],
          commands: bench.commands,
          isUser: (user: string) => user === HOST_USER,
        },
        {
          what: 'cluster',
          metricsUrls: await release.metricsUrls(),
          commands,
          isUser: (user: string) => user.startsWith(`system:serviceaccount:${release.name}:`),
        },
      ];
      say('', `Nothing is scanned for ${idleSeconds} s…`);
      await sleep(SETTLE_MS);
      const costs = await idleCosts(bench.worker.auditLog, sides, idleSeconds);
      say('', 'What workers cost while nothing is scanned', '', ...idleLines(costs));
    } finally {
      commands.close();
    }
  } finally {
    say('', 'Removing the release…');
    await release.close();
  }
}

/** Seconds of a scan of new files by the workers of that side, from folder to folder. */
async function rebuild(
  { run, folder, scans }: Bench,
  release: OwnRelease,
  { side, name, files, parallel }: { side: Side; name: string; files: number; parallel: number },
): Promise<number> {
  const sides: Record<Side, { scans: ScanClient; folder: string; url: string }> = {
    host: { scans, folder, url: pathToFileURL(folder).href },
    cluster: { scans: release.scans, folder: release.folder, url: 'file:///srv/files' },
  };
  const at = sides[side];
  const documents = await benchDocuments(join(at.folder, name), `${run} installed ${name}`, files);
  const destination = `clean-${name}`;
  const input = {
    source: `${at.url}/${name}`,
    destination: `${at.url}/${destination}`,
    parallelFiles: parallel,
  };
  const id = `bench-${run}-installed-${name}`;
  const seconds = await timedScan(at.scans, { id, input, files, expected: 'rebuilt' });
  const missing = documents.filter(
    ({ path }) => !existsSync(path.replace(`/${name}/`, `/${destination}/tree/`)),
  );
  if (missing.length > 0) throw new Error(`${missing.length} files are not in the clean place.`);
  return seconds;
}
