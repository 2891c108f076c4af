import { type Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { UPDATE } from '../workflows/contract.ts';
import { progressLines } from './progress-text.ts';
import type { ScanClient } from './scan-client.ts';

/** What the scan verbs need from outside. */
export type ScanSurroundings = {
  out(line: string): void;
  scans(): Promise<Pick<ScanClient, 'start' | 'progress' | 'update' | 'cancel' | 'result'>>;
  now(): Date;
  fail(): void;
};

type StartOptions = { id?: string; neverPause?: boolean; wait?: boolean } & Record<string, unknown>;

/** `pristine scan …`: each verb is one request to Temporal, and says which `temporal` command does the same. */
export function addScanCommands(program: Command, around: ScanSurroundings): void {
  const scan = program.command('scan').description('start and steer scans');
  const update = async (id: string, name: string, ...args: unknown[]) =>
    (await around.scans()).update(id, name, args);

  scan
    .command('start')
    .description('start a scan (temporal workflow start --type scan)')
    .requiredOption('--source <url>', 'what to scan: file:///absolute/folder or s3://bucket/prefix/')
    .requiredOption('--destination <url>', 'where results go: file:///absolute/folder or s3://bucket/prefix/')
    .option('--id <workflow-id>', 'workflow ID (default: scan- and the time)')
    .option('--profile <name>', 'engine profile')
    .option('--parallel-files <n>', 'files in work at a time', wholeNumber)
    .option('--retries <n>', 'counted attempts after the first', wholeNumber)
    .option('--watch [seconds]', 'go on listing, every so many seconds', watchInterval)
    .option('--include <glob...>', 'only files that match one of these')
    .option('--exclude <glob...>', 'no file that matches one of these')
    .option('--max-bytes <n>', 'leave larger files out', wholeNumber)
    .option('--mode <mode>', 'what earlier results count for: reuse, if-changed or force')
    .option('--never-pause', 'do not stop when one kind of failure takes half of the last contents')
    .option(
      '--wait',
      'until it has ended; fails unless files were rebuilt, and none quarantined or unreadable',
    )
    .action(async ({ id, neverPause, wait, ...input }: StartOptions) => {
      if (neverPause) input.failureLimit = false;
      const workflowId = id ?? `scan-${timeStamp(around.now())}`;
      await (await around.scans()).start({ id: workflowId, input });
      around.out(`Started ${workflowId}.`);
      around.out(`See how it goes: pristine scan progress ${workflowId}`);
      if (wait === true) await awaitScan(around, workflowId);
    });

  scan
    .command('progress <id>')
    .description('what is listed, done, in work and left (temporal workflow query --type progress)')
    .option('--json', 'as JSON')
    .action(async (id: string, { json }: { json?: boolean }) => {
      const progress = await (await around.scans()).progress(id);
      if (json) around.out(JSON.stringify(progress));
      else for (const line of progressLines(progress)) around.out(line);
    });

  scan
    .command('pause <id> [reason]')
    .description('start no more files; those in work end (temporal workflow update execute --name pause)')
    .action(async (id: string, reason?: string) => {
      await update(id, UPDATE.pause, ...(reason === undefined ? [] : [reason]));
      around.out(`Paused ${id}. It goes on with: pristine scan resume ${id}`);
    });

  scan
    .command('resume <id>')
    .description('go on after a pause (… update execute --name resume)')
    .action(async (id: string) => {
      await update(id, UPDATE.resume);
      around.out(`${id} goes on.`);
    });

  scan
    .command('drain <id>')
    .description('start no more files; end when those in work are done (… update execute --name drain)')
    .action(async (id: string) => {
      await update(id, UPDATE.drain);
      around.out(`${id} ends when the files in work are done.`);
    });

  scan
    .command('parallel-files <id>')
    .description('change how many files are in work at a time (… update execute --name setParallelFiles)')
    .argument('<n>', 'from 1 to 500', wholeNumber)
    .action(async (id: string, n: number) => {
      const files = await update(id, UPDATE.setParallelFiles, n);
      around.out(`${id} now works on ${files} files at a time.`);
    });

  scan
    .command('cancel <id>')
    .description('stop a scan; its pods are deleted (temporal workflow cancel)')
    .action(async (id: string) => {
      await (await around.scans()).cancel(id);
      around.out(`Asked ${id} to stop.`);
    });
}

const summarySchema = z.object({ listed: z.number(), outcomes: z.record(z.string(), z.number()) });

async function awaitScan(around: ScanSurroundings, id: string): Promise<void> {
  const { listed, outcomes } = summarySchema.parse(await (await around.scans()).result(id));
  const counts = Object.entries(outcomes).filter(([, count]) => count > 0);
  around.out(`${listed} listed: ${counts.map(([outcome, count]) => `${count} ${outcome}`).join(', ')}.`);
  const { rebuilt = 0, delivered = 0, quarantined = 0, unreadable = 0 } = outcomes;
  if (rebuilt + delivered === 0 || quarantined + unreadable > 0) around.fail();
}

/** `20240229-120000`, UTC. */
export function timeStamp(at: Date): string {
  return at
    .toISOString()
    .replaceAll(/[-:]|\..*$/g, '')
    .replace('T', '-');
}

/** The scan itself checks the range; here it only has to be a number, since JSON tells the two apart. */
function wholeNumber(text: string): number {
  const number = Number(text);
  if (text.trim() === '' || !Number.isInteger(number))
    throw new InvalidArgumentError('It must be a whole number.');
  return number;
}

function watchInterval(text: string): number {
  const seconds = Number(text);
  if (text.trim() === '' || !Number.isFinite(seconds)) throw new InvalidArgumentError('It must be seconds.');
  return seconds;
}
