import { createHash } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { ApplicationFailure } from '@temporalio/common';
import { EVENT } from '../drivers/events.ts';
import type { Destination } from '../drivers/ports.ts';
import type { OutcomeCounts, ProfileRef, ScanSummary } from '../workflows/contract.ts';
import { noOutcomes, OUTCOMES, totalOf } from '../workflows/contract.ts';
import type { Dependencies } from './dependencies.ts';
import { partKey, scanKey } from './keys.ts';

export type FinishScanInput = {
  scanId: string;
  firstRunId: string;
  source: string;
  destination: string;
  profile: ProfileRef;
  startedAt: number;
  parts: number;
  listed: number;
  counts: OutcomeCounts;
};

/**
 * Joins the parts into manifest.jsonl and writes summary.json and SHA256SUMS. A missing part, or a manifest
 * that does not say the same as the workflow counted, is an error of ours: fails with type AccountingGap.
 */
export async function finishScan(
  deps: Pick<Dependencies, 'openDestination' | 'logger'>,
  input: FinishScanInput,
  heartbeat: () => void,
): Promise<ScanSummary> {
  const destination = deps.openDestination(input.destination);
  const hash = createHash('sha256');
  const counts = noOutcomes();
  let lines = 0;
  const manifest = new PassThrough();
  const writing = destination.write(scanKey(input.scanId, 'manifest.jsonl'), manifest);
  // A failed write must reach us at the await below, not as an unhandled rejection while we read parts.
  writing.catch(() => manifest.destroy());
  try {
    for (let part = 1; part <= input.parts; part++) {
      const text = await readPart(destination, partKey(input.scanId, input.firstRunId, part));
      for (const line of text.split('\n')) {
        if (line === '') continue;
        counts[outcomeOf(line)] += 1;
        lines += 1;
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

  const wrong = OUTCOMES.filter((outcome) => counts[outcome] !== input.counts[outcome]);
  if (wrong.length > 0 || lines !== input.listed || totalOf(input.counts) !== input.listed) {
    throw gap(
      `${input.listed} files listed, ${totalOf(input.counts)} outcomes counted, ${lines} manifest lines; ` +
        `counts differ for: ${wrong.join(', ') || 'none'}`,
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
    manifest: { key: scanKey(input.scanId, 'manifest.jsonl'), lines, sha256: hash.digest('hex') },
  };
  const written = await destination.write(
    scanKey(input.scanId, 'summary.json'),
    `${JSON.stringify(summary, null, 2)}\n`,
  );
  await destination.write(
    scanKey(input.scanId, 'SHA256SUMS'),
    `${summary.manifest.sha256}  manifest.jsonl\n${written.sha256}  summary.json\n`,
  );
  const { scanId: scan, listed } = input;
  deps.logger.info({ event: EVENT.scanFinished, scan, listed, ...input.counts }, 'scan finished');
  return summary;
}

/** Once the manifest stands: its parts and what a watching scan remembered are not needed any more. */
export async function clearScan(
  deps: Dependencies,
  input: { scanId: string; destination: string },
  heartbeat: () => void,
): Promise<void> {
  const destination = deps.openDestination(input.destination);
  for await (const part of destination.list(scanKey(input.scanId, 'parts/'))) {
    await destination.remove(part.key);
    heartbeat();
  }
  await deps.seen.forget(input.scanId);
}

async function readPart(destination: Destination, key: string): Promise<string> {
  const found = await destination.read(key);
  if (found === null) throw gap(`the manifest part ${key} is missing`);
  const chunks: Buffer[] = [];
  for await (const chunk of found.body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function outcomeOf(line: string): (typeof OUTCOMES)[number] {
  const { outcome } = JSON.parse(line) as { outcome: unknown };
  const known = OUTCOMES.find((one) => one === outcome);
  if (known === undefined) throw gap(`a manifest line has the outcome ${JSON.stringify(outcome)}`);
  return known;
}

function gap(what: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'AccountingGap',
    nonRetryable: true,
    message: `The scan's books do not balance: ${what}. This is a defect: keep scans/ and report it.`,
  });
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
