import { WORKFLOW } from '../../workflows/contract.ts';
import { quoteForShell } from '../env-file.ts';

/** What starts a scan: the `temporal` command line's words after the program's name. */
export function startArguments(scan: { id: string; taskQueue: string; input: object }): string[] {
  return [
    ...['workflow', 'start', '--type', WORKFLOW.scan, '--task-queue', scan.taskQueue],
    ...['--workflow-id', scan.id, '--input', JSON.stringify(scan.input)],
  ];
}

/** The same as a person can paste it into a shell, one long option a line. */
export function shownCommand(args: readonly string[]): string[] {
  const lines = ['temporal'];
  for (const [at, word] of args.entries()) {
    const breaksHere = word === '--workflow-id' || word === '--input';
    if (breaksHere) lines.push(`    ${word}`);
    else lines[lines.length - 1] += ` ${quoteForShell(args[at] ?? '')}`;
  }
  return lines.map((line, at) => (at < lines.length - 1 ? `${line} \\` : line));
}
