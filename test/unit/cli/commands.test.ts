import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { Command } from 'commander';
import { foreignEntries } from '../../../cli/foreign-entries.ts';
import { addLockCommands } from '../../../cli/lock-commands.ts';
import { addScanCommands } from '../../../cli/scan-commands.ts';
import { addVerifyCommand } from '../../../cli/verify-command.ts';
import { memoryDestination } from './memory-destination.ts';

/** A program that throws instead of exiting, and what it printed and asked for. */
function pristine(ended: unknown = undefined) {
  const out: string[] = [];
  const asked: unknown[] = [];
  const ask =
    (verb: string, answer: unknown = undefined) =>
    async (...args: unknown[]) => {
      asked.push([verb, ...args]);
      return answer;
    };
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  addScanCommands(program, {
    out: (line) => out.push(line),
    scans: async () => ({
      start: ask('start') as () => Promise<void>,
      progress: () => Promise.reject(new Error('not asked for here')),
      update: ask('update', 7),
      cancel: ask('cancel') as () => Promise<void>,
      result: ask('result', ended),
    }),
    now: () => new Date('2024-02-29T12:00:01.5Z'),
    fail: () => asked.push('fail'),
  });
  addLockCommands(program, {
    out: (line) => out.push(line),
    locks: async () => ({
      async *list() {
        yield { key: { sha256: 'ab'.repeat(32), profile: '0a1b2c3d' }, owner: 'run-1', ttlMs: 29_001 };
      },
      break: ask('break', true) as () => Promise<boolean>,
    }),
  });
  addVerifyCommand(program, {
    out: (line) => out.push(line),
    destination: () => memoryDestination(new Map([['tree/a\nb', Buffer.from('x')]])),
    foreignEntries,
    fail: () => out.push('exit 1'),
  });
  for (const command of [program, ...program.commands.flatMap((one) => [one, ...one.commands])]) {
    command.exitOverride().configureOutput({ writeErr: () => {} });
  }
  return { out, asked, run: (...words: string[]) => program.parseAsync(words, { from: 'user' }) };
}

describe('pristine scan', () => {
  test('start passes on what was given, numbers as numbers, and leaves the rest to the scan', async () => {
    const { run, asked } = pristine();
    await run(
      ...['scan', 'start', '--source', 'file:///in', '--destination', 's3://out/', '--parallel-files', '20'],
      ...['--retries', '-1', '--watch', '--mode', 'force', '--never-pause'],
      ...['--include', '*.pdf', '*.docx'],
    );
    const input = {
      source: 'file:///in',
      destination: 's3://out/',
      parallelFiles: 20,
      retries: -1,
      watch: true,
      mode: 'force',
      failureLimit: false,
      include: ['*.pdf', '*.docx'],
    };
    expect(asked).toEqual([['start', { id: 'scan-20240229-120001', input }]]);
  });

  test.each([
    [{ rebuilt: 1, delivered: 0 }, false],
    [{ rebuilt: 0, delivered: 2, filtered: 1 }, false],
    [{ rebuilt: 0, delivered: 0 }, true],
    [{ rebuilt: 1, quarantined: 1 }, true],
    [{ rebuilt: 1, unreadable: 1 }, true],
  ])('start --wait says the outcomes; %j fails: %s', async (outcomes, fails) => {
    const { run, asked, out } = pristine({ listed: 9, outcomes });
    await run('scan', 'start', '--source', 'file:///in', '--destination', 's3://out/', '--wait', '--id', 'a');
    expect(asked.slice(1)).toEqual([['result', 'a'], ...(fails ? ['fail'] : [])]);
    expect(out.at(-1)).toMatch(/^9 listed: [1-9]? ?/);
  });

  test.each(['ten', '1.5', '', ' '])(
    'a number of files that is %j is refused before anything is asked',
    async (n) => {
      const { run, asked } = pristine();
      await expect(run('scan', 'parallel-files', 'scan-1', n)).rejects.toThrow('whole number');
      expect(asked).toEqual([]);
    },
  );

  test.each([
    [
      ['pause', 'scan-1'],
      ['update', 'scan-1', 'pause', []],
    ],
    [
      ['pause', 'scan-1', 'maintenance'],
      ['update', 'scan-1', 'pause', ['maintenance']],
    ],
    [
      ['resume', 'scan-1'],
      ['update', 'scan-1', 'resume', []],
    ],
    [
      ['drain', 'scan-1'],
      ['update', 'scan-1', 'drain', []],
    ],
    [
      ['parallel-files', 'scan-1', '7'],
      ['update', 'scan-1', 'setParallelFiles', [7]],
    ],
    [
      ['cancel', 'scan-1'],
      ['cancel', 'scan-1'],
    ],
  ])('%j asks Temporal once', async (words, expected) => {
    const { run, asked } = pristine();
    await run('scan', ...words);
    expect(asked).toEqual([expected]);
  });
});

describe('pristine locks', () => {
  test('list prints a line a lock', async () => {
    const { run, out } = pristine();
    await run('locks', 'list');
    expect(out).toEqual([`${'ab'.repeat(32)}  0a1b2c3d  run-1  30 s`]);
  });

  test('break wants a whole digest, so that no pattern can free more than one', async () => {
    const { run, asked } = pristine();
    await expect(run('locks', 'break', '*', '0a1b2c3d')).rejects.toThrow('64 hex digits');
    await run('locks', 'break', 'ab'.repeat(32), '0a1b2c3d');
    expect(asked).toEqual([['break', { sha256: 'ab'.repeat(32), profile: '0a1b2c3d' }]]);
  });
});

describe('pristine verify', () => {
  test('prints violations with escaped names and fails', async () => {
    const { run, out } = pristine();
    await run('verify', 's3://out/');
    expect(out[0]).toMatch(/^tree-unknown: tree\/a\\nb holds bytes that no receipt names/);
    expect(out.slice(1)).toEqual([
      '0 receipts, 0 stored objects and 1 files of the tree read again.',
      'nothing-there: there is no receipt, so nothing was verified',
      '2 violations.',
      'exit 1',
    ]);
  });

  test('a link under tree/ is a violation, wherever it leads', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'verify-'));
    mkdirSync(join(folder, 'tree/a'), { recursive: true });
    symlinkSync('/etc', join(folder, 'tree/a/link'));
    const { run, out } = pristine();
    await run('verify', pathToFileURL(folder).href);
    rmSync(folder, { recursive: true });
    expect(out).toContain('tree-foreign: tree/a/link is no plain file');
    expect(out.at(-1)).toBe('exit 1');
  });
});
