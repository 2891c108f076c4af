import { fileURLToPath } from 'node:url';
import { scanKey } from '../../activities/keys.ts';
import type { ManifestEntry } from '../manifest.ts';
import { wrapped } from '../printable.ts';
import { notRebuiltLines, outcomeTable, placeLines } from './final-table.ts';
import type { Stock } from './take-stock.ts';

export type Finished = Stock & {
  scan: string;
  /** URL of the destination. */
  destination: string;
  /** The scan's page in the Web UI. */
  page: string;
  seconds: number;
  /** Where the person is. */
  cwd: string;
};

/** What the demo ends with: outcomes, what has no clean copy and why, where everything lies, what was checked. */
export function finalReport(finished: Finished): string[] {
  const { summary, manifest, seconds, problems, verified } = finished;
  const at = (key: string) => `${place(finished.destination, finished.cwd)}${key}`;
  const rest = notRebuiltLines(manifest);
  return [
    '',
    `${summary.listed} files in ${seconds.toFixed(1)} s, ${podWords(podsOf(manifest))}`,
    '',
    ...outcomeTable(summary.outcomes, summary.listed),
    ...(rest.length > 0 ? ['', 'Without a clean copy, and why:', ...rest] : []),
    '',
    'Where to look:',
    ...placeLines([
      ['rebuilt tree', at('tree/')],
      ['reports', at('reports/')],
      ['manifest', at(scanKey(finished.scan, 'manifest.jsonl'))],
      ['summary', at(scanKey(finished.scan, 'summary.json'))],
      ['Web UI', finished.page],
    ]),
    '',
    ...(problems.length === 0
      ? [
          'Checked: source, manifest and summary name the same files, each once;',
          `${verified} files under tree/ hold bytes that a receipt names, and nothing else is there.`,
        ]
      : ['NOT in order:', ...problems.flatMap((problem) => wrapped(problem, 76).map((line) => `  ${line}`))]),
  ];
}

/** Pods of this scan: of two names with the same content, one has the attempts. */
function podsOf(manifest: readonly ManifestEntry[]): number {
  return manifest.reduce((sum, line) => sum + line.attempts, 0);
}

function podWords(pods: number): string {
  if (pods === 0) return 'no new pod';
  return pods === 1 ? '1 pod' : `${pods} pods`;
}

/** A folder as a path, since that is what one types, the short way from `cwd`; other places as their URL. */
function place(url: string, cwd: string): string {
  const folder = url.startsWith('file://') ? fileURLToPath(url) : url;
  const text = folder.startsWith(`${cwd}/`) ? folder.slice(cwd.length + 1) : folder;
  return text.endsWith('/') ? text : `${text}/`;
}
