import { type Command, InvalidArgumentError } from 'commander';
import { type QuarantineNote, quarantineNotes } from '../activities/quarantine-notes.ts';
import type { Destination } from '../drivers/ports.ts';
import type { RetryInput, RetryResult } from '../workflows/contract.ts';
import { hexDigits } from './hex-digits.ts';
import { holdsContents } from './holds-contents.ts';
import { printableText } from './printable.ts';
import { timeStamp } from './scan-commands.ts';

export type QuarantineSurroundings = {
  out(line: string): void;
  destination(url: string): Pick<Destination, 'list' | 'read'>;
  /** The fingerprint of a profile that the configuration names; undefined for another name. */
  fingerprintOf(profile: string): string | undefined;
  /** Starts the workflow `retryQuarantined` under this ID. */
  startRetry(start: { id: string; input: RetryInput }): Promise<{ result(): Promise<RetryResult> }>;
  /** Whether a worker has polled the scans' task queue within the last minutes. */
  hasWorker(): Promise<boolean>;
  now(): Date;
  fail(): void;
};

type ListOptions = { profile?: string; class?: string; json?: boolean };
type RetryOptions = { profile?: string; class?: string; all?: boolean };

/** `pristine quarantine list` and `pristine retry`: what no attempt got through, and another chance for it. */
export function addQuarantineCommands(program: Command, around: QuarantineSurroundings): void {
  const quarantine = program.command('quarantine').description('contents that no attempt got through');
  quarantine
    .command('list <destination>')
    .description('content, profile, class, attempts, when, why, and where the logs are')
    .option('--profile <profile>', 'only of this one: a name, or a fingerprint of 8 hex digits')
    .option('--class <class>', 'only what failed for this: crash, resource, transfer, …')
    .option('--json', 'a line of JSON each')
    .action((url: string, options: ListOptions) => list(around, url, options));

  program
    .command('retry')
    .description(
      'clear quarantined contents: the next scan runs their engine again (workflow retryQuarantined)',
    )
    .argument('<destination>', 'where they are noted')
    .argument('[sha256]', 'one content', hexDigits(64))
    .option('--class <class>', 'all that failed for this')
    .option('--all', 'all that is quarantined there')
    .option('--profile <profile>', 'only of this one: a name, or a fingerprint of 8 hex digits')
    .action((url: string, sha256: string | undefined, options: RetryOptions) =>
      retry(around, url, sha256, options),
    );
}

async function list(around: QuarantineSurroundings, url: string, options: ListOptions): Promise<void> {
  const only = options.profile === undefined ? undefined : fingerprint(around, options.profile);
  const destination = around.destination(url);
  let count = 0;
  for await (const note of quarantineNotes(destination)) {
    if (options.class !== undefined && note.class !== options.class) continue;
    if (only !== undefined && note.fingerprint !== only && note.base !== only) continue;
    count += 1;
    for (const line of options.json ? [asJson(note)] : described(note)) around.out(line);
  }
  if (options.json) return;
  if (count > 0) around.out(`${count} quarantined.`);
  else if (await holdsContents(destination)) around.out('Nothing is quarantined.');
  else {
    around.out(`There is no content in ${printableText(url)}: is this the place?`);
    around.fail();
  }
}

async function retry(
  around: QuarantineSurroundings,
  destination: string,
  sha256: string | undefined,
  { profile, class: failure, all }: RetryOptions,
): Promise<void> {
  if ([sha256, failure, all].filter((one) => one !== undefined).length !== 1) {
    throw new InvalidArgumentError('Give one of: a sha256, --class <class>, --all.');
  }
  const id = `retry-${timeStamp(around.now())}`;
  const input: RetryInput = {
    destination,
    ...(profile === undefined ? {} : { profile }),
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(failure === undefined ? {} : { class: failure }),
    ...(all === true ? { all } : {}),
  };
  const started = await around.startRetry({ id, input });
  const waiting = (await around.hasWorker()) ? '' : ' It waits: no worker is there.';
  around.out(`Started ${id}.${waiting}`);
  const { cleared, contents } = await started.result();
  for (const content of contents) around.out(`${content.sha256}  ${content.profile}`);
  if (cleared > contents.length) around.out(`… and ${cleared - contents.length} more`);
  if (cleared > 0) around.out(`${cleared} cleared. The next scan that meets them runs their engine again.`);
  else {
    around.out('Nothing was cleared: nothing like that is quarantined there.');
    if (sha256 !== undefined) around.fail();
  }
}

function fingerprint(around: QuarantineSurroundings, profile: string): string {
  const found = around.fingerprintOf(profile);
  if (found !== undefined) return found;
  if (/^[0-9a-f]{8}$/.test(profile)) return profile;
  throw new InvalidArgumentError(`There is no profile ${JSON.stringify(profile)} in the configuration.`);
}

function asJson({ fingerprint: profile, ...note }: QuarantineNote): string {
  return JSON.stringify({ ...note, profile });
}

/** Reasons and keys are somebody else's text. */
function described(note: QuarantineNote): string[] {
  const attempts = `${note.attempts} ${note.attempts === 1 ? 'attempt' : 'attempts'}`;
  return [
    [note.sha256, note.fingerprint, note.class, attempts, note.at].map(printableText).join('  ').trimEnd(),
    `    ${printableText(note.reason)}`,
    ...note.logs.map((key) => `    log ${printableText(key)}`),
    ...(note.report === undefined ? [] : [`    report ${printableText(note.report)}`]),
  ];
}
