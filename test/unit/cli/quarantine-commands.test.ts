import { describe, expect, test } from '@jest/globals';
import { Command } from 'commander';
import { addQuarantineCommands } from '../../../cli/quarantine-commands.ts';
import type { RetryResult } from '../../../workflows/contract.ts';
import { memoryDestination } from './memory-destination.ts';

const sha256 = (letter: string) => letter.repeat(64);
const place = (letter: string, fingerprint = '0a0b0c0d') =>
  `content/${letter}${letter}/${sha256(letter)}/${fingerprint}/quarantined.json`;
const note = (more: Record<string, unknown> = {}) =>
  Buffer.from(
    JSON.stringify({ reason: 'it hangs', class: 'crash', attempts: 4, at: '2024-02-29T12:00:00Z', ...more }),
  );

function pristine(
  objects: [string, Buffer][],
  { result = { cleared: 0, contents: [] }, worker = true }: { result?: RetryResult; worker?: boolean } = {},
) {
  const out: string[] = [];
  const started: unknown[] = [];
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  addQuarantineCommands(program, {
    out: (line) => out.push(line),
    destination: () => memoryDestination(new Map(objects)),
    fingerprintOf: (name) => (name === 'default' ? '0a0b0c0d' : undefined),
    startRetry: async (start) => {
      started.push(start);
      return { result: async () => result };
    },
    hasWorker: async () => worker,
    now: () => new Date('2024-02-29T12:00:01.5Z'),
    fail: () => out.push('exit 1'),
  });
  for (const command of [program, ...program.commands.flatMap((one) => [one, ...one.commands])]) {
    command.exitOverride().configureOutput({ writeErr: () => {} });
  }
  return { out, started, run: (...words: string[]) => program.parseAsync(words, { from: 'user' }) };
}

describe('pristine quarantine list', () => {
  test('says what, why, and where the logs are, with nothing that a terminal would act on', async () => {
    const { run, out } = pristine([
      [
        place('a'),
        note({
          reason: 'exit 1\u001b[2J\nexit',
          logs: ['content/x/engine.log'],
          report: 'content/x/report.xml',
        }),
      ],
      [place('b'), note({ attempts: 1, class: 'resource' })],
    ]);
    await run('quarantine', 'list', 's3://out/');
    expect(out).toEqual([
      `${sha256('a')}  0a0b0c0d  crash  4 attempts  2024-02-29T12:00:00Z`,
      '    exit 1\\u{1b}[2J\\nexit',
      '    log content/x/engine.log',
      '    report content/x/report.xml',
      `${sha256('b')}  0a0b0c0d  resource  1 attempt  2024-02-29T12:00:00Z`,
      '    it hangs',
      '2 quarantined.',
    ]);
  });

  test.each<[string[], string[]]>([
    [['--class', 'resource'], ['b']],
    [
      ['--profile', 'default'],
      ['a', 'b', 'd'],
    ],
    [
      ['--profile', 'ffffffff'],
      ['c', 'd'],
    ],
    [['--profile', 'ffffffff', '--class', 'resource'], []],
  ])('%j', async (options, expected) => {
    const { run, out } = pristine([
      [place('a'), note()],
      [place('b'), note({ class: 'resource' })],
      [place('c', 'ffffffff'), note()],
      [place('d', 'ffffffff'), note({ base: '0a0b0c0d' })],
    ]);
    await run('quarantine', 'list', 's3://out/', '--json', ...options);
    expect(out.map((line) => JSON.parse(line).sha256[0])).toEqual(expected);
  });

  test('--json has what the note has', async () => {
    const { run, out } = pristine([[place('a'), note({ pod: 'p', logs: ['l'] })]]);
    await run('quarantine', 'list', 's3://out/', '--json');
    expect(out.map((line) => JSON.parse(line))).toEqual([
      {
        sha256: sha256('a'),
        profile: '0a0b0c0d',
        class: 'crash',
        reason: 'it hangs',
        attempts: 4,
        at: '2024-02-29T12:00:00Z',
        pod: 'p',
        logs: ['l'],
      },
    ]);
  });

  test('nothing quarantined is not the same as nothing there', async () => {
    const some = pristine([[place('a').replace('quarantined', 'receipt'), Buffer.from('{}')]]);
    await some.run('quarantine', 'list', 's3://out/');
    expect(some.out).toEqual(['Nothing is quarantined.']);
    const none = pristine([]);
    await none.run('quarantine', 'list', 's3://typo/');
    expect(none.out).toEqual(['There is no content in s3://typo/: is this the place?', 'exit 1']);
  });

  test('a profile that nobody knows is refused', async () => {
    const { run } = pristine([]);
    await expect(run('quarantine', 'list', 's3://out/', '--profile', 'nope')).rejects.toThrow(
      'no profile "nope"',
    );
  });
});

describe('pristine retry', () => {
  test.each<[string[], Record<string, unknown>]>([
    [[sha256('a')], { sha256: sha256('a') }],
    [['--class', 'crash', '--profile', 'default'], { class: 'crash', profile: 'default' }],
    [['--all'], { all: true }],
  ])('%j starts one workflow', async (words, input) => {
    const { run, started } = pristine([], {
      result: { cleared: 1, contents: [{ sha256: sha256('a'), profile: '0a0b0c0d' }] },
    });
    await run('retry', 's3://out/', ...words);
    expect(started).toEqual([{ id: 'retry-20240229-120001', input: { destination: 's3://out/', ...input } }]);
  });

  test('prints what was cleared', async () => {
    const contents = [{ sha256: sha256('a'), profile: '0a0b0c0d' }];
    const { run, out } = pristine([], { result: { cleared: 120, contents } });
    await run('retry', 's3://out/', '--all');
    expect(out).toEqual([
      'Started retry-20240229-120001.',
      `${sha256('a')}  0a0b0c0d`,
      '… and 119 more',
      '120 cleared. The next scan that meets them runs their engine again.',
    ]);
  });

  test('a content that was not quarantined is an error, an empty class is none', async () => {
    const { run, out } = pristine([]);
    await run('retry', 's3://out/', '--class', 'crash');
    expect(out).toEqual([
      'Started retry-20240229-120001.',
      'Nothing was cleared: nothing like that is quarantined there.',
    ]);
    await run('retry', 's3://out/', sha256('a'));
    expect(out.at(-1)).toBe('exit 1');
  });

  test('says so when no worker is there to do it', async () => {
    const { run, out } = pristine([], { worker: false });
    await run('retry', 's3://out/', '--all');
    expect(out[0]).toBe('Started retry-20240229-120001. It waits: no worker is there.');
  });

  test.each([
    [[], 'Give one of'],
    [['--all', '--class', 'crash'], 'Give one of'],
    [[sha256('a'), '--all'], 'Give one of'],
    [['abc'], '64 hex digits'],
    [['A'.repeat(64)], '64 hex digits'],
  ])('%j is refused before anything is started', async (words, message) => {
    const { run, started } = pristine([]);
    await expect(run('retry', 's3://out/', ...words)).rejects.toThrow(message);
    expect(started).toEqual([]);
  });
});
