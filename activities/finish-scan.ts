import { createHash } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { EVENT } from '../drivers/events.ts';
import type { Destination } from '../drivers/ports.ts';
import type { FileName, OutcomeCounts, ProfileRef, ScanSummary } from '../workflows/contract.ts';
import { noOutcomes, OUTCOMES, totalOf } from '../workflows/contract.ts';
import type { Dependencies } from './dependencies.ts';
import { pageKey, partKey, scanKey } from './keys.ts';
import { gap, manifestLines, NameSum, namesAtOdds, readPart } from './manifest.ts';
import { namesOfPage } from './pages.ts';

export type FinishScanInput = {
  scanId: string;
  firstRunId: string;
  source: string;
  destination: string;
  profile: ProfileRef;
  startedAt: number;
  /** How many pages were listed, and how many manifest parts were written. */
  pages: number;
  parts: number;
  listed: number;
  counts: OutcomeCounts;
  /** Listed names that a drained scan did not begin. */
  dropped: FileName[];
};

/**
 * Joins the parts into manifest.jsonl and writes summary.json and SHA256SUMS. A missing part, a manifest that does
 * not say the same as the workflow counted, or one that does not hold each listed name once, is an error of ours:
 * fails with type AccountingGap, which names the paths.
 */
export async function finishScan(
  deps: Pick<Dependencies, 'openDestination' | 'logger' | 'reached'>,
  input: FinishScanInput,
  heartbeat: () => void,
): Promise<ScanSummary> {
  const destination = deps.openDestination(input.destination);
  const hash = createHash('sha256');
  const counts = noOutcomes();
  const settled = new NameSum();
  const manifest = new PassThrough();
  const writing = destination.write(scanKey(input.scanId, 'manifest.jsonl'), manifest);
  // A failed write must reach us at the await below, not as an unhandled rejection while we read parts.
  writing.catch(() => manifest.destroy());
  try {
    for (let part = 1; part <= input.parts; part++) {
      const text = await readPart(destination, partKey(input.scanId, input.firstRunId, part));
      for (const line of manifestLines(text)) {
        counts[line.outcome] += 1;
        settled.add(line);
      }
      hash.update(text);
      if (text !== '' && !manifest.write(text)) await onceDrained(manifest);
      heartbeat();
    }
    manifest.end();
  } catch (error) {
    manifest.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
  await writing;
  await deps.reached?.('manifest.written');

  const listed = new NameSum();
  for await (const name of listedNames(destination, input, heartbeat)) listed.add(name);
  for (const name of input.dropped) listed.remove(name);
  const wrong = OUTCOMES.filter((outcome) => counts[outcome] !== input.counts[outcome]);
  if (
    wrong.length > 0 ||
    settled.count !== input.listed ||
    totalOf(input.counts) !== input.listed ||
    !listed.equals(settled)
  ) {
    throw gap(
      `${input.listed} files listed, ${totalOf(input.counts)} outcomes counted, ${settled.count} manifest lines; ` +
        `counts differ for: ${wrong.join(', ') || 'none'}${await atOdds(destination, input, heartbeat)}`,
    );
  }
  const summary: ScanSummary = {
    scan: input.scanId,
    source: input.source,
    destination: input.destination,
    profile: input.profile,
    startedAt: new Date(input.startedAt).toISOString(),
    finishedAt: new Date().toISOString(),
    listed: input.listed,
    outcomes: input.counts,
    manifest: {
      key: scanKey(input.scanId, 'manifest.jsonl'),
      lines: settled.count,
      sha256: hash.digest('hex'),
    },
  };
  const written = await destination.write(
    scanKey(input.scanId, 'summary.json'),
    `${JSON.stringify(summary, null, 2)}\n`,
  );
  await destination.write(
    scanKey(input.scanId, 'SHA256SUMS'),
    `${summary.manifest.sha256}  manifest.jsonl\n${written.sha256}  summary.json\n`,
  );
  deps.logger.info(
    { event: EVENT.scanFinished, scan: input.scanId, listed: input.listed, ...input.counts },
    'scan finished',
  );
  return summary;
}

/** Once the manifest stands: its parts, the listing's pages and what a watching scan remembered are not needed any more. */
export async function clearScan(
  deps: Dependencies,
  input: { scanId: string; destination: string },
  heartbeat: () => void,
): Promise<void> {
  const destination = deps.openDestination(input.destination);
  const clear = async (folder: string) => {
    for await (const { key } of destination.list(scanKey(input.scanId, folder))) {
      await destination.remove(key);
      heartbeat();
    }
  };
  await Promise.all(['parts/', 'pages/'].map(clear));
  await deps.seen.forget(input.scanId);
}

/** Every name of every page: what the source was found to hold. */
async function* listedNames(
  destination: Destination,
  input: FinishScanInput,
  heartbeat: () => void,
): AsyncGenerator<FileName> {
  for (let page = 1; page <= input.pages; page++) {
    yield* await namesOfPage(destination, pageKey(input.scanId, input.firstRunId, page));
    heartbeat();
  }
}

async function* settledNames(
  destination: Destination,
  input: FinishScanInput,
  heartbeat: () => void,
): AsyncGenerator<FileName> {
  // A dropped name was listed and has no line: it stands for one.
  yield* input.dropped;
  for (let part = 1; part <= input.parts; part++) {
    yield* manifestLines(await readPart(destination, partKey(input.scanId, input.firstRunId, part)));
    heartbeat();
  }
}

/** The paths themselves, in words; empty when the two books hold the same names. */
async function atOdds(
  destination: Destination,
  input: FinishScanInput,
  heartbeat: () => void,
): Promise<string> {
  const { lost, surplus } = await namesAtOdds(
    () => listedNames(destination, input, heartbeat),
    () => settledNames(destination, input, heartbeat),
    input.listed,
  );
  const words = (what: string, names: string[]) =>
    names.length === 0 ? '' : `; ${what}: ${names.map((name) => JSON.stringify(name)).join(', ')}`;
  return `${words('listed without an outcome', lost)}${words('with more outcomes than listings', surplus)}`;
}

function onceDrained(stream: PassThrough): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: Error) => {
      stream.off('drain', onDrain);
      stream.off('close', onClose);
      if (error) reject(error);
      else resolve();
    };
    const onDrain = () => done();
    const onClose = () => done(new Error('the manifest could not be written'));
    stream.once('drain', onDrain);
    stream.once('close', onClose);
  });
}
