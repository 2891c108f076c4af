import { type Command, InvalidArgumentError } from 'commander';
import type { Destination } from '../drivers/ports.ts';
import { LINK_SLACK_MS } from '../drivers/profile.ts';
import { holdsContents } from './holds-contents.ts';
import { printableName, printableText } from './printable.ts';
import { leftoversOfContents } from './sweep-content.ts';
import { leftoversOfScans, type ScanLife } from './sweep-scans.ts';

export type SweepSurroundings = {
  out(line: string): void;
  destination(url: string): Destination;
  /** What Temporal says of a scan. */
  lifeOf(scan: string): Promise<ScanLife>;
  /** Removes (or, on a dry run, counts) temporary files of writers that are gone. */
  abandonedFiles(url: string, dryRun: boolean): Promise<number>;
  /** Minutes that the longest-lived link to a slot may be open. */
  linkMinutes(): number;
  now(): Date;
  fail(): void;
};

type Options = { olderThan?: number; dryRun?: boolean; allScans?: boolean };

/** `pristine sweep <destination>`: what nobody needs any more. Never a receipt, or what one names. */
export function addSweepCommand(program: Command, around: SweepSurroundings): void {
  program
    .command('sweep <destination>')
    .description(
      'remove what attempts without a receipt, scans that are over and writers that died left behind',
    )
    .option(
      '--older-than <minutes>',
      "only beside receipts, and of scans, this old (default: a link's life)",
      minutes,
    )
    .option('--dry-run', 'remove nothing; say what would be')
    .option('--all-scans', 'also the books of scans that failed or that Temporal does not know any more')
    .action(async (url: string, options: Options) => {
      const olderThan = options.olderThan ?? around.linkMinutes();
      const before = new Date(around.now().getTime() - olderThan * 60_000);
      const dryRun = options.dryRun === true;
      const destination = around.destination(url);
      const sweep = { around, destination, before, dryRun };
      const slots = await sweepContents(sweep);
      const books = await sweepScans(sweep, options.allScans === true);
      const files = await around.abandonedFiles(url, dryRun);
      if (books === 0 && !(await holdsContents(destination))) {
        around.out(`There is no content in ${printableText(url)}: is this the place?`);
        around.fail();
      }
      const done = dryRun ? 'would be removed' : 'removed';
      around.out(`${slots} slots, ${books} books of scans and ${files} temporary files ${done}.`);
    });
}

type Sweep = { around: SweepSurroundings; destination: Destination; before: Date; dryRun: boolean };

async function sweepContents({ around, destination, before, dryRun }: Sweep): Promise<number> {
  let slots = 0;
  for await (const found of leftoversOfContents(destination, before)) {
    if (found.kind === 'unsure') {
      around.out(`left alone: ${printableText(found.problem)}`);
      around.fail();
    } else if (found.kind === 'note') {
      around.out(`note ${found.key}: its content has a receipt`);
      if (!dryRun) await destination.remove(found.key);
    } else {
      let objects = 0;
      for await (const { key } of destination.list(found.prefix)) {
        objects += 1;
        if (!dryRun) await destination.remove(key);
      }
      slots += 1;
      around.out(`slot ${found.prefix}: ${objects} objects`);
    }
  }
  return slots;
}

async function sweepScans({ around, destination, before, dryRun }: Sweep, all: boolean): Promise<number> {
  let books = 0;
  for await (const found of leftoversOfScans(destination, around.lifeOf, { before, all })) {
    if (found.kind === 'kept') around.out(`kept ${printableText(found.books)}: ${found.why}`);
    else {
      books += 1;
      around.out(`book ${printableName(found.key)}`);
      if (!dryRun) await destination.remove(found.key);
    }
  }
  return books;
}

/** The life of the links that live longest, as `createPod` makes them. */
export function longestLinkMinutes(
  profiles: readonly { startDeadlineSeconds: number; runDeadlineSeconds: number }[],
): number {
  const seconds = profiles.map((profile) => profile.startDeadlineSeconds + profile.runDeadlineSeconds);
  return Math.ceil((Math.max(0, ...seconds) * 1000 + LINK_SLACK_MS) / 60_000);
}

function minutes(text: string): number {
  const number = Number(text);
  if (text.trim() === '' || !Number.isFinite(number) || number < 0) {
    throw new InvalidArgumentError('It must be minutes, 0 or more.');
  }
  return number;
}
