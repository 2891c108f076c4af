import { fileURLToPath } from 'node:url';
import type { S3Client } from '@aws-sdk/client-s3';
import { foreignEntries } from '../foreign-entries.ts';
import type { ManifestEntry, ReadOnly, WrittenSummary } from '../manifest.ts';
import { readManifest, readSummary } from '../manifest.ts';
import { printableName } from '../printable.ts';
import { verifyDestination } from '../verify.ts';
import { checkAccounts } from './check-accounts.ts';
import { walkBucket } from './walk-bucket.ts';
import { walkSource } from './walk-source.ts';

export type Stock = {
  summary: WrittenSummary;
  manifest: ManifestEntry[];
  /** Files under tree/ that were read again and compared with the receipts. */
  verified: number;
  /** What does not balance or hold, one sentence each. */
  problems: string[];
};

/**
 * After a scan: counts its source, reads its manifest and summary, and reads the whole destination again.
 * Believes nothing that the scan said about itself.
 */
export async function takeStock(
  around: { destination(url: string): ReadOnly; s3: S3Client },
  places: { source: string; destination: string },
  scan: string,
): Promise<Stock> {
  const destination = around.destination(places.destination);
  const summary = await readSummary(destination, scan);
  if (summary === null) throw new Error(`scans/${scan}/summary.json is not in ${places.destination}.`);
  const manifest: ManifestEntry[] = [];
  for await (const line of readManifest(destination, scan)) manifest.push(line);
  const source = places.source.startsWith('s3:')
    ? await walkBucket(around.s3, places.source)
    : await walkSource(fileURLToPath(places.source));

  const problems = checkAccounts({ source, manifest, summary });
  const { tree } = await verifyDestination(
    destination,
    ({ key, problem }) => problems.push(`${printableName(key)} ${problem}.`),
    scan,
  );
  for await (const key of foreignEntries(places.destination)) {
    problems.push(`${printableName(key)} is no plain file.`);
  }
  return { summary, manifest, verified: tree, problems };
}
