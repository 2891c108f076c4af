import type { Outcome } from '../../workflows/contract.ts';
import { OUTCOMES } from '../../workflows/contract.ts';
import type { ManifestEntry } from '../manifest.ts';
import { columnsOf, padded, printableName, printableText, wrapped } from '../printable.ts';

const WIDTH = 80;
const MEANING: Record<Outcome, string> = {
  rebuilt: 'written anew by the engine, in a pod of its own',
  delivered: 'content was done already: copied, no pod',
  refused: "the engine's verdict, with its reason",
  quarantined: 'every attempt failed: kept aside with its logs',
  filtered: 'left out by include, exclude or size',
  changed: 'changed while it was read: the next scan takes it',
  gone: 'was deleted meanwhile',
  unreadable: 'a link or a special file, or no permission',
};
/** Of the files that were not rebuilt, how many are shown. */
const SHOWN = 40;

/** Outcomes that occurred, with their counts, what each means, and the sum. */
export function outcomeTable(outcomes: Readonly<Partial<Record<Outcome, number>>>, listed: number): string[] {
  const rows = OUTCOMES.filter((outcome) => (outcomes[outcome] ?? 0) > 0).map((outcome) =>
    row(outcome, outcomes[outcome] ?? 0, MEANING[outcome]),
  );
  return [...rows, `  ${'─'.repeat(WIDTH - 4)}`, row('listed', listed, 'each with exactly one outcome')];
}

function row(word: string, count: number, meaning: string): string {
  return `  ${word.padEnd(12)}${String(count).padStart(6)}   ${meaning}`;
}

/** One block a file that has no clean copy, by name: outcome, name, and below it the reason, within 80 columns. */
export function notRebuiltLines(manifest: readonly ManifestEntry[]): string[] {
  const rest = manifest
    .filter((line) => line.outcome !== 'rebuilt' && line.outcome !== 'delivered')
    .map((line) => ({ ...line, shown: printableName(line.name) }))
    .sort((a, b) => (a.shown < b.shown ? -1 : 1));
  const indent = 14;
  const blocks = rest.slice(0, SHOWN).flatMap((line) => {
    const name = wrapped(line.shown, WIDTH - indent);
    const reason = wrapped(printableText(line.reason ?? 'no reason was given'), WIDTH - indent - 2);
    return [
      `  ${line.outcome.padEnd(indent - 2)}${name[0] ?? ''}`,
      ...name.slice(1).map((more) => ' '.repeat(indent) + more),
      ...reason.map((more) => ' '.repeat(indent + 2) + more),
    ];
  });
  const hidden = rest.length - SHOWN;
  return hidden > 0 ? [...blocks, `  and ${hidden} more: see the manifest`] : blocks;
}

/** `label   value` lines; a value is never broken, so that it can be copied. */
export function placeLines(places: readonly (readonly [label: string, value: string])[]): string[] {
  const columns = Math.max(...places.map(([label]) => columnsOf(label))) + 2;
  return places.map(([label, value]) => `  ${padded(label, columns)}${value}`);
}
