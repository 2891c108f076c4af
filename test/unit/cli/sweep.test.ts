import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Command } from 'commander';
import { partKey, scanKey } from '../../../activities/keys.ts';
import { abandonedFiles } from '../../../cli/abandoned-files.ts';
import { addSweepCommand, longestLinkMinutes } from '../../../cli/sweep-command.ts';
import { type ScanLife, whyKept } from '../../../cli/sweep-scans.ts';
import { memoryDestination } from './memory-destination.ts';

const NOW = new Date('2024-02-29T12:00:00Z');
const old = '2024-02-29T11:00:00Z';
const fp = '0a0b0c0d';
const digest = (letter: string) => letter.repeat(64);
const folder = (letter: string, fingerprint = fp) =>
  `content/${letter}${letter}/${digest(letter)}/${fingerprint}`;
const bytes = Buffer.from('x');

function receipt(letter: string, more: Record<string, unknown> = {}): [string, Buffer] {
  const text = JSON.stringify({
    version: 1,
    sha256: digest(letter),
    size: 1,
    profile: { name: 'default', fingerprint: fp },
    engine: { image: 'engine:1' },
    verdict: 'rebuilt',
    ...(more.verdict === 'refused'
      ? {}
      : { rebuilt: { key: `${folder(letter)}/a1-won/rebuilt`, size: 1, sha256: digest('f') } }),
    attempt: 1,
    slot: 'a1-won',
    pod: { name: 'p', uid: 'u' },
    exitCodes: {},
    times: {},
    logs: [],
    scan: 's',
    committedAt: old,
    ...more,
  });
  return [`${folder(letter)}/receipt.json`, Buffer.from(text)];
}
const slot = (letter: string, name: string, file = 'rebuilt'): [string, Buffer] => [
  `${folder(letter)}/${name}/${file}`,
  bytes,
];

function sweeping(objects: [string, Buffer][], lives: Record<string, ScanLife> = {}) {
  const held = new Map(objects);
  const out: string[] = [];
  const asked: string[] = [];
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  addSweepCommand(program, {
    out: (line) => out.push(line),
    destination: () => ({
      ...memoryDestination(held),
      remove: async (key) => {
        held.delete(Buffer.from(key).toString('latin1'));
      },
    }),
    lifeOf: async (scan) => {
      asked.push(scan);
      return lives[scan] ?? { kind: 'unknown' };
    },
    abandonedFiles: async () => 0,
    linkMinutes: () => 15,
    now: () => NOW,
    fail: () => out.push('exit 1'),
  });
  for (const command of program.commands) command.exitOverride().configureOutput({ writeErr: () => {} });
  return {
    out,
    asked,
    left: () => [...held.keys()].sort(),
    run: (...words: string[]) => program.parseAsync(['sweep', 's3://out/', ...words], { from: 'user' }),
  };
}
const keys = (objects: [string, Buffer][]) => objects.map(([key]) => key).sort();

describe('slots of attempts that lost', () => {
  test('every slot that the receipt does not name goes; the rest of the content stays', async () => {
    const stays = [
      receipt('a'),
      slot('a', 'a1-won'),
      slot('a', 'a1-won', 'engine.log'),
      receipt('b'),
      slot('b', 'a1-won'),
    ];
    const goes = [
      slot('a', 'a1-late'),
      slot('a', 'a2-late', 'fetch.log'),
      slot('a', 'a2-late', 'report.xml'),
    ];
    const { run, left, out } = sweeping([...stays, ...goes]);
    await run();
    expect(left()).toEqual(keys(stays));
    expect(out).toEqual([
      `slot ${folder('a')}/a1-late/: 1 objects`,
      `slot ${folder('a')}/a2-late/: 2 objects`,
      '2 slots, 0 books of scans and 0 temporary files removed.',
    ]);
  });

  test.each<[string, [string, Buffer][]]>([
    ['a content without a receipt', [slot('a', 'a1-x'), slot('a', 'a2-y', 'engine.log')]],
    [
      'a quarantined content, with its logs',
      [slot('a', 'a1-x', 'engine.log'), [`${folder('a')}/quarantined.json`, bytes]],
    ],
    ['a receipt of a moment ago', [receipt('a', { committedAt: NOW.toISOString() }), slot('a', 'a2-y')]],
    ['a receipt from no time at all', [receipt('a', { committedAt: 'soon' }), slot('a', 'a2-y')]],
    [
      'slots that the receipt names otherwise than as its own',
      [
        receipt('a', {
          rebuilt: { key: `${folder('a')}/a1-x/rebuilt`, size: 1, sha256: digest('0') },
          report: { key: `${folder('a')}/a2-y/report.xml`, size: 1, sha256: digest('0') },
          logs: [`${folder('a')}/a3-z/engine.log`],
        }),
        slot('a', 'a1-x'),
        slot('a', 'a2-y', 'report.xml'),
        slot('a', 'a3-z', 'engine.log'),
      ],
    ],
    [
      "another profile's attempts on the same content",
      [receipt('a'), [`${folder('a', 'ffffffff')}/a1-y/rebuilt`, bytes]],
    ],
    [
      'what is no slot of ours',
      [receipt('a'), [`${folder('a')}/notes/rebuilt`, bytes], [`content/readme`, bytes]],
    ],
  ])('%s: nothing goes', async (_, objects) => {
    const { run, left } = sweeping(objects);
    await run();
    expect(left()).toEqual(keys(objects));
  });

  test('the only slot is a dead one where the receipt names another', async () => {
    const { run, left } = sweeping([
      receipt('a', { verdict: 'refused' }),
      slot('a', 'a2-late', 'report.xml'),
    ]);
    await run();
    expect(left()).toEqual(keys([receipt('a')]));
  });

  test('a note beside a receipt goes', async () => {
    const { run, left, out } = sweeping([receipt('a'), [`${folder('a')}/quarantined.json`, bytes]]);
    await run();
    expect(left()).toEqual(keys([receipt('a')]));
    expect(out[0]).toBe(`note ${folder('a')}/quarantined.json: its content has a receipt`);
  });

  test('beside a receipt that can not be read everything stays, and it is told', async () => {
    const objects: [string, Buffer][] = [
      [`${folder('a')}/receipt.json`, Buffer.from('{')],
      slot('a', 'a1-x'),
      slot('a', 'a2-y'),
    ];
    const { run, left, out } = sweeping(objects);
    await run();
    expect(left()).toEqual(keys(objects));
    expect(out[0]).toMatch(/^left alone: The receipt .* does not parse/);
    expect(out).toContain('exit 1');
  });

  test('--older-than moves the line, and is minutes', async () => {
    const objects = [receipt('a'), slot('a', 'a1-won'), slot('a', 'a2-y')];
    const { run, left } = sweeping(objects);
    await run('--older-than', '61');
    expect(left()).toEqual(keys(objects));
    await run('--older-than', '59.5');
    expect(left()).toHaveLength(2);
    await expect(run('--older-than', 'soon')).rejects.toThrow('minutes');
    await expect(run('--older-than', '-1')).rejects.toThrow('minutes');
  });

  test('--dry-run says the same and removes nothing', async () => {
    const objects = [
      receipt('a'),
      slot('a', 'a1-won'),
      slot('a', 'a2-y'),
      [partKey('scan', 'run-1', 1), bytes] as [string, Buffer],
    ];
    const life: ScanLife = { kind: 'closed', status: 'TERMINATED', closedAt: new Date(old) };
    const { run, left, out } = sweeping(objects, { scan: life });
    await run('--dry-run');
    expect(left()).toEqual(keys(objects));
    expect(out).toEqual([
      `slot ${folder('a')}/a2-y/: 1 objects`,
      'book scans/scan/parts/run-1/0000001.jsonl',
      '1 slots, 1 books of scans and 0 temporary files would be removed.',
    ]);
  });
});

describe('books of scans that are over', () => {
  const open: ScanLife = { kind: 'open', firstRunId: 'run-1' };
  const closed = (status: string, closedAt = old): ScanLife => ({
    kind: 'closed',
    status,
    closedAt: new Date(closedAt),
  });
  const rule = { before: new Date('2024-02-29T11:45:00Z'), all: false };

  test.each<[string, ScanLife, string, boolean, string | RegExp | null]>([
    ['in work', open, 'run-1', false, ''],
    ['in work, whatever is asked for', open, 'run-1', true, ''],
    ['an earlier start under the same ID', open, 'run-0', false, null],
    ['in work, of which the server tells no first run', { kind: 'open', firstRunId: '' }, 'run-1', false, ''],
    ['terminated', closed('TERMINATED'), 'run-1', false, null],
    ['cancelled', closed('CANCELLED'), 'run-1', false, null],
    ['completed', closed('COMPLETED'), 'run-1', false, null],
    ['terminated a moment ago', closed('TERMINATED', NOW.toISOString()), 'run-1', true, ''],
    ['failed', closed('FAILED'), 'run-1', false, /failed/],
    ['failed, and asked for', closed('FAILED'), 'run-1', true, null],
    ['unknown', { kind: 'unknown' }, 'run-1', false, /does not know/],
    ['unknown, and asked for', { kind: 'unknown' }, 'run-1', true, null],
  ])('%s', (_, life, run, all, expected) => {
    const why = whyKept(life, run, { ...rule, all });
    if (expected instanceof RegExp) expect(why).toMatch(expected);
    else expect(why).toBe(expected);
  });

  test('go; what the scan was for stays, and each scan is asked for once', async () => {
    const scan = 'scan of/März';
    const stays: [string, Buffer][] = [
      [scanKey(scan, 'manifest.jsonl'), bytes],
      [scanKey(scan, 'summary.json'), bytes],
      [partKey('alive', 'run-1', 1), bytes],
    ];
    const goes: [string, Buffer][] = [
      [partKey(scan, 'run-0', 1), bytes],
      [partKey(scan, 'run-1', 1), bytes],
      [scanKey(scan, 'pages/run-1/0000001.json'), bytes],
    ];
    stays.push(receipt('a'), slot('a', 'a1-won'));
    const { run, left, asked, out } = sweeping([...stays, ...goes], {
      alive: open,
      [scan]: closed('CANCELLED'),
    });
    await run();
    expect(left()).toEqual(keys(stays));
    expect(asked.sort()).toEqual(['alive', scan]);
    expect(out.at(-1)).toBe('0 slots, 3 books of scans and 0 temporary files removed.');
  });

  test('of a folder that does not tell its scan nothing goes, and it is told once', async () => {
    const long = 'x'.repeat(300);
    const objects: [string, Buffer][] = [
      [partKey(long, 'run-1', 1), bytes],
      [partKey(long, 'run-1', 2), bytes],
      ['scans/%zz/parts/run-1/0000001.jsonl', bytes],
    ];
    const { run, left, asked, out } = sweeping(objects);
    await run();
    expect(left()).toEqual(keys(objects));
    expect(asked).toEqual([]);
    expect(out.filter((line) => line.startsWith('kept scans/'))).toHaveLength(2);
  });
});

test('a place without any content is told: a mistyped one is always clean', async () => {
  const { run, out } = sweeping([]);
  await run();
  expect(out.slice(0, 2)).toEqual(['There is no content in s3://out/: is this the place?', 'exit 1']);
});

test("a link's life is as long as the slowest profile's pod may take, and five minutes more", () => {
  const profile = (startDeadlineSeconds: number, runDeadlineSeconds: number) => ({
    startDeadlineSeconds,
    runDeadlineSeconds,
  });
  expect(longestLinkMinutes([profile(300, 300), profile(60, 61)])).toBe(15);
  expect(longestLinkMinutes([profile(300, 3_601)])).toBe(71);
});

test('temporary files of writers that are gone: counted on a dry run, then removed', async () => {
  const root = mkdtempSync(join(tmpdir(), 'sweep-'));
  const temp = join(root, '.pristine-tmp');
  mkdirSync(join(root, 'out'));
  const url = `file://${root}/out`;
  expect(await abandonedFiles(url, [root], false)).toBe(0);
  mkdirSync(temp);
  const { describeSelf } = await import('../../../drivers/file-system/owner.ts');
  const self = await describeSelf();
  const [boot, space] = self.split('-');
  writeFileSync(join(temp, `${self}-alive`), '');
  writeFileSync(join(temp, `${boot}-${space}-4194305-1-gone`), '');
  expect(await abandonedFiles(url, [root], true)).toBe(1);
  expect(readdirSync(temp)).toHaveLength(2);
  expect(await abandonedFiles(url, [root], false)).toBe(1);
  expect(readdirSync(temp)).toEqual([`${self}-alive`]);
  expect(await abandonedFiles('s3://bucket/', [root], false)).toBe(0);
  rmSync(root, { recursive: true });
});
