import type { Progress } from '../workflows/contract.ts';
import { OUTCOMES, totalOf } from '../workflows/contract.ts';
import { printableText } from './printable.ts';

/** `rebuilt 12, refused 3`: the outcomes that occurred; empty before the first. */
export function outcomeWords(progress: Progress): string {
  return OUTCOMES.filter((outcome) => progress.done[outcome] > 0)
    .map((outcome) => `${outcome} ${progress.done[outcome]}`)
    .join(', ');
}

/** `2.4 files/s, 10 pods`. */
export function paceWords(progress: Progress, pods: number): string {
  return `${rateWords(progress)}, ${pods} ${pods === 1 ? 'pod' : 'pods'}`;
}

/** One line about a scan for where there is no terminal. A pause or wait says why. */
export function progressLine(progress: Progress, pods: number): string {
  const words = [countWords(progress), paceWords(progress, pods), outcomeWords(progress)];
  const why = progress.reason === undefined ? '' : ` (${stateWords(progress)})`;
  return words.filter((part) => part !== '').join(', ') + why;
}

/** What `pristine scan progress` prints. */
export function progressLines(progress: Progress): string[] {
  const eta = progress.etaSeconds === null ? 'unknown' : `${Math.ceil(progress.etaSeconds)} s`;
  return [
    stateWords(progress),
    `${countWords(progress)}, ${progress.inFlight} in work or being delivered (window ${progress.window} of ${progress.parallelFiles}), ${progress.queued} queued`,
    `${rateWords(progress)}, left: ${eta}`,
    outcomeWords(progress) || 'no outcome yet',
  ];
}

function stateWords({ state, reason }: Progress): string {
  return reason === undefined ? state : `${state}: ${printableText(reason)}`;
}

function countWords(progress: Progress): string {
  return `${totalOf(progress.done)}/${progress.listed}${progress.listingComplete ? '' : '+'} files`;
}

function rateWords(progress: Progress): string {
  return `${progress.filesPerSecond.toFixed(1)} files/s`;
}
