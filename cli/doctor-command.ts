import { isIP } from 'node:net';
import { type Command, InvalidArgumentError } from 'commander';
import type { Finding, Level } from './doctor/finding.ts';
import { printableText } from './printable.ts';

export type DoctorOrder = {
  destinations: readonly string[];
  listen: { host: string; port: number } | undefined;
  startSeconds: number;
};

export type DoctorSurroundings = {
  out(line: string): void;
  /** What the probes find, as they find it. */
  examine(order: DoctorOrder): AsyncIterable<Finding>;
  fail(): void;
};

type Options = {
  destination: string[];
  listen?: { host: string; port: number };
  wait: number;
  strict?: boolean;
};

/** `pristine doctor`: what is really enforced around file pods, tried with the workers' own credentials. */
export function addDoctorCommand(program: Command, around: DoctorSurroundings): void {
  program
    .command('doctor')
    .description(
      'try what is really enforced: rights, Pod Security, admission, network, sandboxes, conditional writes',
    )
    .option('--destination <url>', 'try its conditional create (may be given again)', collect, [])
    .option(
      '--listen <host[:port]>',
      'an address of this machine that pods would get to if nothing kept them',
      address,
    )
    .option('--wait <seconds>', 'how long a pod may take to start', seconds, 60)
    .option('--strict', 'warnings count as failures')
    .action(async ({ destination, listen, wait, strict }: Options) => {
      const counts: Record<Level, number> = { ok: 0, WARN: 0, FAIL: 0 };
      const order = { destinations: destination, listen, startSeconds: wait };
      for await (const { level, subject, text } of around.examine(order)) {
        counts[level] += 1;
        around.out(`${level.padEnd(4)}  ${printableText(subject)}: ${printableText(text)}`);
      }
      around.out(`${counts.ok} ok, ${counts.WARN} to look at (WARN), ${counts.FAIL} to mend (FAIL).`);
      if (counts.FAIL > 0 || (strict === true && counts.WARN > 0)) around.fail();
    });
}

function collect(url: string, before: string[]): string[] {
  return [...before, url];
}

function address(text: string): { host: string; port: number } {
  if (isIP(text) !== 0) return { host: text, port: 0 };
  const [, host = '', port = '0'] = /^\[?([^[\]\s]+?)\]?(?::(\d{1,5}))?$/.exec(text) ?? [];
  if (host === '' || Number(port) > 65_535)
    throw new InvalidArgumentError('It must be an address, with or without a port.');
  return { host, port: Number(port) };
}

function seconds(text: string): number {
  const number = Number(text);
  if (text.trim() === '' || !(number >= 1 && number <= 3_600))
    throw new InvalidArgumentError('It must be seconds, 1 to 3600.');
  return number;
}
