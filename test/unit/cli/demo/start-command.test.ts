import { execFileSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { shownCommand, startArguments } from '../../../../cli/demo/start-command.ts';

const input = { source: "file:///it's%20here/$(id)", destination: 'file:///out', parallelFiles: 10 };
const args = startArguments({ id: 'demo-1', taskQueue: 'pristine', input });

test('the scan is started with the names of the contract', () => {
  expect(args.slice(0, 8)).toEqual([
    'workflow',
    'start',
    '--type',
    'scan',
    '--task-queue',
    'pristine',
    '--workflow-id',
    'demo-1',
  ]);
  expect(JSON.parse(args.at(-1) ?? '')).toEqual(input);
});

test('what is shown is, pasted into a shell, the same command', () => {
  const shown = shownCommand(args).join('\n');
  const script = `temporal() { for word in "$@"; do printf '%s\\0' "$word"; done; }\n${shown}\n`;
  expect(execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1)).toEqual(args);
});
