import { toBytes } from '../../drivers/file-name.ts';
import type { OutcomeCounts } from '../../workflows/contract.ts';
import { OUTCOMES } from '../../workflows/contract.ts';
import type { ManifestEntry } from '../manifest.ts';
import { printableName } from '../printable.ts';

/** What a finished scan says about itself, and what lies in the source by our own walk. */
export type Accounts = {
  source: readonly Uint8Array[];
  manifest: readonly ManifestEntry[];
  summary: { listed: number; outcomes: Readonly<Record<string, number>>; manifest: { lines: number } };
};

/**
 * Every listed file has exactly one outcome: source, manifest and summary name the same files and the same
 * numbers. Answers with what does not balance, one sentence each; empty when all is well.
 */
export function checkAccounts({ source, manifest, summary }: Accounts): string[] {
  const problems: string[] = [];
  const seen = new Map<string, number>();
  for (const line of manifest) {
    const key = Buffer.from(toBytes(line.name)).toString('latin1');
    seen.set(key, (seen.get(key) ?? 0) + 1);
  }
  for (const [key, times] of seen) {
    if (times > 1) problems.push(`${shown(key)} has ${times} lines in the manifest.`);
  }
  const there = new Set(source.map((name) => Buffer.from(name).toString('latin1')));
  for (const key of there) {
    if (!seen.has(key)) problems.push(`${shown(key)} is in the source and has no line in the manifest.`);
  }
  for (const key of seen.keys()) {
    if (!there.has(key)) problems.push(`${shown(key)} is in the manifest and not in the source.`);
  }

  const counted = countOutcomes(manifest);
  for (const outcome of OUTCOMES) {
    const said = summary.outcomes[outcome] ?? 0;
    if (said !== counted[outcome]) {
      problems.push(`The summary counts ${said} ${outcome}, the manifest ${counted[outcome]}.`);
    }
  }
  const sum = Object.values(summary.outcomes).reduce((total, count) => total + count, 0);
  if (sum !== summary.listed)
    problems.push(`${summary.listed} files were listed but ${sum} have an outcome.`);
  if (summary.manifest.lines !== manifest.length) {
    problems.push(`The summary says ${summary.manifest.lines} lines, the manifest has ${manifest.length}.`);
  }
  return problems;
}

function countOutcomes(manifest: readonly ManifestEntry[]): OutcomeCounts {
  const counts = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as OutcomeCounts;
  for (const line of manifest) counts[line.outcome] += 1;
  return counts;
}

function shown(key: string): string {
  return printableName(Buffer.from(key, 'latin1'));
}
