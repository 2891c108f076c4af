import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { claimContent } from '../../../activities/claim-content.ts';
import { finishScan } from '../../../activities/finish-scan.ts';
import { partKey, receiptKey, scanKey, slotKey } from '../../../activities/keys.ts';
import { keepPage } from '../../../activities/pages.ts';
import type { Receipt } from '../../../activities/receipt.ts';
import { readReceipt } from '../../../activities/receipt.ts';
import { settleFiles } from '../../../activities/settle-files.ts';
import type { OutcomeCounts } from '../../../workflows/contract.ts';
import { noOutcomes } from '../../../workflows/contract.ts';
import type { SettledFile } from '../../../workflows/scan-state.ts';
import { fingerprint, removeWorlds, sha256Of, world } from './world.ts';

afterEach(removeWorlds);

const rebuilt = (content: string, from: string, path = 'docs/a'): SettledFile => ({
  name: { path },
  size: content.length,
  sha256: sha256Of(content),
  outcome: 'rebuilt',
  from,
});
const settle = (at: ReturnType<typeof world>, files: SettledFile[], destination = at.destination) =>
  settleFiles(
    at.deps,
    {
      scanId: 'scan',
      firstRunId: 'run',
      part: 1,
      destination,
      profile: { name: 'default', fingerprint },
      files,
      watch: false,
    },
    () => {},
  );
const tree = (at: ReturnType<typeof world>, path = 'docs/a') => join(at.root, 'out/tree', path);

test('an upload that is what its uploader said is committed, once', async () => {
  const at = world();
  expect(await at.attempt('hostile', 'clean')).toMatchObject({ kind: 'committed', reused: false });
  const late = await at.attempt('hostile', 'other', 'other', 'a2-def');
  expect(late).toMatchObject({ kind: 'committed', reused: true });
  const content = { sha256: sha256Of('hostile'), fingerprint };
  const receipt = JSON.parse(readFileSync(join(at.root, 'out', receiptKey(content)), 'utf8'));
  expect(receipt).toMatchObject({ slot: 'a1-abc', rebuilt: { sha256: sha256Of('clean') } });
  expect(existsSync(join(at.root, 'out', slotKey(content, 'a2-def', 'rebuilt')))).toBe(false);
});

test('a receipt names the image that the pod was made with, whatever the profile says by now', async () => {
  const at = world();
  await at.attempt('hostile', 'clean', undefined, 'a1-abc', undefined, 'engine:before');
  const key = receiptKey({ sha256: sha256Of('hostile'), fingerprint });
  const receipt = JSON.parse(readFileSync(join(at.root, 'out', key), 'utf8'));
  expect(receipt.engine).toEqual({ image: 'engine:before' });
});

test('an upload that is not what its uploader said is a transfer failure, and leaves no receipt', async () => {
  const at = world();
  expect(await at.attempt('hostile', 'cut', 'cut off')).toMatchObject({ kind: 'failed', class: 'transfer' });
  const key = receiptKey({ sha256: sha256Of('hostile'), fingerprint });
  expect(existsSync(join(at.root, 'out', key))).toBe(false);
});

test('what is delivered are the bytes that the receipt names', async () => {
  const at = world();
  await at.attempt('hostile', 'clean');
  expect(await settle(at, [rebuilt('hostile', at.destination)])).toMatchObject({ missing: [] });
  expect(readFileSync(tree(at), 'utf8')).toBe('clean');
});

test('bytes that were changed behind a receipt are not delivered: the file is missing, not done', async () => {
  const at = world();
  await at.attempt('hostile', 'clean');
  const content = { sha256: sha256Of('hostile'), fingerprint };
  writeFileSync(join(at.root, 'out', slotKey(content, 'a1-abc', 'rebuilt')), 'hostile');
  expect(await settle(at, [rebuilt('hostile', at.destination)])).toEqual({
    counts: noOutcomes(),
    missing: [0],
  });
  expect(existsSync(tree(at))).toBe(false);
});

describe('a receipt that can not be read', () => {
  const receiptOf = (at: ReturnType<typeof world>, content: string, folder = 'out') =>
    join(at.root, folder, receiptKey({ sha256: sha256Of(content), fingerprint }));
  const lines = (at: ReturnType<typeof world>, folder = 'out') =>
    readFileSync(join(at.root, folder, partKey('scan', 'run', 1)), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  const spoil = (at: ReturnType<typeof world>, content: string, text: string, folder = 'out') => {
    mkdirSync(join(receiptOf(at, content, folder), '..'), { recursive: true });
    writeFileSync(receiptOf(at, content, folder), text);
  };

  test.each<[string, (at: ReturnType<typeof world>) => string]>([
    ['does not parse', () => '{'],
    ['does not parse', () => '{"version":2}'],
    ['belongs to another content or profile', (at) => readFileSync(receiptOf(at, 'hostile'), 'utf8')],
    ['can not be one of ours', () => ' '.repeat(2 ** 20 + 1)],
  ])('because it %s holds its own file back, and no other', async (problem, written) => {
    const at = world();
    await at.attempt('hostile', 'clean');
    await at.attempt('older', 'older clean');
    await settle(at, [rebuilt('older', at.destination, 'docs/b')]);
    rmSync(join(at.root, 'out/scans'), { recursive: true });
    const text = written(at);
    spoil(at, 'other', text);

    const files = [rebuilt('hostile', at.destination), rebuilt('other', at.destination, 'docs/b')];
    expect(await settle(at, files)).toMatchObject({ counts: { rebuilt: 1, quarantined: 1 }, missing: [] });
    expect(lines(at)).toMatchObject([
      { path: 'docs/a', outcome: 'rebuilt' },
      {
        path: 'docs/b',
        outcome: 'quarantined',
        reason: expect.stringMatching(problem.replace('can not', "can't")),
      },
    ]);
    expect(readFileSync(tree(at), 'utf8')).toBe('clean');
    expect(existsSync(tree(at, 'docs/b'))).toBe(false);
    expect(readFileSync(receiptOf(at, 'other'), 'utf8')).toBe(text);
  });

  test('holds a refused file and a quarantined note back too', async () => {
    const at = world();
    spoil(at, 'no', '{');
    const note = join(receiptOf(at, 'held'), '../quarantined.json');
    mkdirSync(join(note, '..'), { recursive: true });
    writeFileSync(note, ' '.repeat(2 ** 20 + 1));
    const files = [
      { ...rebuilt('no', at.destination), outcome: 'refused' as const },
      { ...rebuilt('held', at.destination, 'docs/b'), outcome: 'quarantined' as const },
    ];
    expect(await settle(at, files)).toMatchObject({ counts: { quarantined: 2 }, missing: [] });
  });

  test('in another destination is as if there were none: the content is missing, to be rebuilt', async () => {
    const at = world();
    spoil(at, 'hostile', '{');
    expect(await settle(at, [rebuilt('hostile', at.destination)], at.place('other'))).toMatchObject({
      missing: [0],
    });
    const { sha256, profile, scanId } = at.file('hostile');
    const record = { verdict: 'rebuilt', destination: at.destination } as const;
    await at.deps.index.add({ sha256, profile: fingerprint }, record, 'me');
    const claim = { sha256, profile, scanId, destination: at.place('other'), owner: 'me' };
    expect(await claimContent(at.deps, claim)).toMatchObject({ kind: 'done' });
    await expect(claimContent(at.deps, { ...claim, destination: at.destination })).rejects.toMatchObject({
      code: 'content.mismatch',
      message: expect.stringMatching(/Look at it, move its folder away, and scan again/),
    });
  });

  test('in the way of one that another destination has: nothing is brought over it', async () => {
    const at = world();
    await at.attempt('hostile', 'clean');
    spoil(at, 'hostile', '{', 'other');
    expect(await settle(at, [rebuilt('hostile', at.destination)], at.place('other'))).toMatchObject({
      counts: { quarantined: 1 },
      missing: [],
    });
    expect(readFileSync(receiptOf(at, 'hostile', 'other'), 'utf8')).toBe('{');
    expect(lines(at, 'other')).toMatchObject([{ reason: expect.stringMatching(/does not parse/) }]);
  });
});

describe('a receipt', () => {
  const read = async (change: (receipt: Receipt) => unknown) => {
    const at = world();
    await at.attempt('hostile', 'clean');
    const content = { sha256: sha256Of('hostile'), fingerprint };
    const file = join(at.root, 'out', receiptKey(content));
    const receipt = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify(change(receipt)));
    return { before: receipt, after: await readReceipt(at.deps.openDestination(at.destination), content) };
  };

  test('of a newer release, with fields that this one does not know, is read without them', async () => {
    const { before, after } = await read(({ rebuilt, pod, profile, engine, times, ...receipt }) => ({
      ...receipt,
      rebuilt: { ...rebuilt, md5: 'x' },
      pod: { ...pod, zone: 'x' },
      profile: { ...profile, policy: 'x' },
      engine: { ...engine, version: 'x' },
      times: { ...times, waitedAt: 'x' },
      signedBy: 'x',
    }));
    expect(after).toEqual(before);
  });

  test.each<[string, (receipt: Receipt) => unknown]>([
    ['of another version', (receipt) => ({ ...receipt, version: 2 })],
    ['of a verdict that is not known', (receipt) => ({ ...receipt, verdict: 'perhaps' })],
    ['that lacks a field', ({ scan, ...receipt }) => receipt],
    ['that says rebuilt and names nothing', ({ rebuilt, ...receipt }) => receipt],
    ['that says refused and names something', (receipt) => ({ ...receipt, verdict: 'refused' })],
    [
      'with a hash that is none',
      ({ rebuilt, ...receipt }) => ({ ...receipt, rebuilt: { ...rebuilt, sha256: 'x' } }),
    ],
  ])('%s is not read', async (_, change) => {
    await expect(read(change)).rejects.toMatchObject({
      code: 'content.mismatch',
      message: expect.stringMatching(/does not parse. Look at it, move its folder away, and scan again/),
    });
  });
});

test.each(['refused', 'quarantined'] as const)(
  '%s takes an older delivery of its name away',
  async (outcome) => {
    const at = world();
    await at.attempt('hostile', 'clean');
    await settle(at, [rebuilt('hostile', at.destination)]);
    expect(existsSync(tree(at))).toBe(true);
    await settle(at, [{ name: { path: 'docs/a' }, size: 1, outcome }]);
    expect(existsSync(tree(at))).toBe(false);
  },
);

test('content of another destination is brought over with its receipt', async () => {
  const at = world();
  await at.attempt('hostile', 'clean');
  const other = at.place('other');
  await settle(at, [rebuilt('hostile', at.destination)], other);
  expect(readFileSync(join(at.root, 'other/tree/docs/a'), 'utf8')).toBe('clean');
  const key = receiptKey({ sha256: sha256Of('hostile'), fingerprint });
  expect(existsSync(join(at.root, 'other', key))).toBe(true);
});

describe('a record whose destination this worker may not go to any more', () => {
  const elsewhere = 'file:///elsewhere/out';
  const scanned = (at: ReturnType<typeof world>) => {
    const { sha256, profile, destination, scanId } = at.file('hostile');
    return { sha256, profile, destination, scanId };
  };

  test.each(['rebuilt', 'refused'] as const)(
    'a content that was %s is missing, to be rebuilt',
    async (outcome) => {
      const at = world();
      const files = [{ ...rebuilt('hostile', elsewhere), outcome }];
      expect(await settle(at, files)).toEqual({ counts: noOutcomes(), missing: [0] });
    },
  );

  test('a content that was quarantined stays so, and its line says where the reason was', async () => {
    const at = world();
    const file = { ...rebuilt('hostile', elsewhere), outcome: 'quarantined' as const };
    expect(await settle(at, [file])).toMatchObject({ counts: { quarantined: 1 }, missing: [] });
    expect(readFileSync(join(at.root, 'out', partKey('scan', 'run', 1)), 'utf8')).toMatch(
      /its reason is not in file:\/\/\/elsewhere\/out any more, or out of reach/,
    );
  });

  test('its content counts as done for a claim', async () => {
    const at = world();
    const { sha256, ...rest } = scanned(at);
    await at.deps.index.add(
      { sha256, profile: fingerprint },
      { verdict: 'rebuilt', destination: elsewhere },
      'me',
    );
    const claim = { sha256, ...rest, owner: 'me' };
    expect(await claimContent(at.deps, claim)).toMatchObject({
      kind: 'done',
      result: { outcome: 'rebuilt', destination: elsewhere },
    });
  });

  test("the scan's own destination is no such place", async () => {
    const at = world();
    await expect(settle(at, [rebuilt('hostile', elsewhere)], elsewhere)).rejects.toMatchObject({
      code: 'destination.forbidden',
    });
  });
});

test('what is committed is recorded and unlocked in the same step', async () => {
  const at = world();
  const { sha256, profile, destination, scanId } = at.file('hostile');
  await claimContent(at.deps, { sha256, profile, destination, scanId, owner: 'me' });
  await at.attempt('hostile', 'clean');
  expect(await at.deps.index.lookup(fingerprint, [sha256])).toEqual([{ verdict: 'rebuilt', destination }]);
  expect(await Array.fromAsync(at.deps.locks.list())).toEqual([]);
});

test('a lost record is found again by the receipt', async () => {
  const at = world();
  await at.attempt('hostile', 'clean');
  const { sha256, profile, destination, scanId } = at.file('hostile');
  const claim = { sha256, profile, destination, scanId, owner: 'me' };
  await at.deps.index.forget({ sha256, profile: fingerprint });
  expect(await claimContent(at.deps, claim)).toMatchObject({ kind: 'done', result: { outcome: 'rebuilt' } });
  expect(await at.deps.index.lookup(fingerprint, [sha256])).toEqual([{ verdict: 'rebuilt', destination }]);
});

test('a content that somebody holds is waited for', async () => {
  const at = world();
  const { sha256, profile, destination, scanId } = at.file('new');
  const claim = { sha256, profile, destination, scanId };
  expect(await claimContent(at.deps, { ...claim, owner: 'one' })).toEqual({ kind: 'claimed' });
  await expect(claimContent(at.deps, { ...claim, owner: 'two' })).rejects.toMatchObject({
    code: 'lock.held',
    retryable: true,
  });
});

describe('the books', () => {
  const page = (at: ReturnType<typeof world>, ...paths: string[]) =>
    keepPage(
      at.deps,
      { scanId: 'scan', firstRunId: 'run', page: 1, destination: at.destination },
      {
        work: paths.map((path) => ({ name: { path }, size: 1, sha256: sha256Of(path), version: 'v' })),
        settled: [],
        next: null,
      },
    );
  const input = (at: ReturnType<typeof world>, counts: OutcomeCounts) => ({
    scanId: 'scan',
    firstRunId: 'run',
    source: at.place('in'),
    destination: at.destination,
    profile: { name: 'default', fingerprint },
    startedAt: 0,
    pages: 1,
    parts: 1,
    listed: 1,
    counts,
    dropped: [],
  });
  const gap = (message = '') =>
    expect.objectContaining({ type: 'AccountingGap', message: expect.stringContaining(message) });

  test('that do not balance fail the scan', async () => {
    const at = world();
    await at.attempt('hostile', 'clean');
    await page(at, 'docs/a');
    const { counts } = await settle(at, [rebuilt('hostile', at.destination)]);
    const good = input(at, counts);
    const finish = (more: object) => finishScan(at.deps, { ...good, ...more }, () => {});
    expect(await finish({})).toMatchObject({ listed: 1, manifest: { lines: 1 } });
    expect(existsSync(join(at.root, 'out', scanKey('scan', 'SHA256SUMS')))).toBe(true);
    await expect(finish({ listed: 2 })).rejects.toEqual(gap());
    await expect(finish({ parts: 2 })).rejects.toEqual(gap());
    await expect(finish({ pages: 2 })).rejects.toMatchObject({ code: 'content.missing' });
    await expect(finish({ counts: { ...counts, rebuilt: 0, delivered: 1 } })).rejects.toEqual(gap());
  });

  test('a listed path without an outcome is named', async () => {
    const at = world();
    await at.attempt('hostile', 'clean');
    await page(at, 'docs/a', 'docs/lost');
    const { counts } = await settle(at, [rebuilt('hostile', at.destination)]);
    const run = finishScan(at.deps, { ...input(at, counts), listed: 2 }, () => {});
    await expect(run).rejects.toEqual(gap('listed without an outcome: "docs/lost"'));
  });

  test('the right number of lines for the wrong paths is a gap too', async () => {
    const at = world();
    await at.attempt('hostile', 'clean');
    await page(at, 'docs/lost');
    const { counts } = await settle(at, [rebuilt('hostile', at.destination)]);
    const run = finishScan(at.deps, input(at, counts), () => {});
    await expect(run).rejects.toEqual(gap('"docs/lost"; with more outcomes than listings: "docs/a"'));
  });

  test('what a drained scan did not begin is listed and in no manifest', async () => {
    const at = world();
    await at.attempt('hostile', 'clean');
    await page(at, 'docs/a', 'docs/later');
    const { counts } = await settle(at, [rebuilt('hostile', at.destination)]);
    const dropped = [{ path: 'docs/later' }];
    expect(await finishScan(at.deps, { ...input(at, counts), dropped }, () => {})).toMatchObject({
      listed: 1,
    });
  });

  test('a page and a part are written once: a second try takes over what the first wrote', async () => {
    const at = world();
    await page(at, 'docs/a');
    expect((await page(at, 'docs/a', 'docs/new')).work).toHaveLength(1);
    await at.attempt('hostile', 'clean');
    const late: SettledFile = {
      name: { path: 'docs/b' },
      size: 1,
      sha256: sha256Of('none'),
      outcome: 'rebuilt',
      from: at.destination,
    };
    const first = await settle(at, [rebuilt('hostile', at.destination), late]);
    expect(first).toMatchObject({ counts: { rebuilt: 1 }, missing: [1] });
    await at.attempt('none', 'clean');
    expect(await settle(at, [rebuilt('hostile', at.destination), late])).toEqual(first);
  });
});

describe('a forced run', () => {
  test('commits beside what is there, and the record says where', async () => {
    const at = world();
    await at.attempt('hostile', 'clean');
    const { sha256, destination } = at.file('hostile');
    const forced = { name: 'default', fingerprint: 'f0f0f0f0', base: fingerprint };
    const again = await at.attempt('hostile', 'cleaner', 'cleaner', 'a1-def', forced);
    expect(again).toMatchObject({ kind: 'committed', reused: false });
    const [record] = await at.deps.index.lookup(fingerprint, [sha256]);
    expect(record).toEqual({ verdict: 'rebuilt', destination, fingerprint: 'f0f0f0f0' });
    await settle(at, [{ ...rebuilt('hostile', at.destination), fingerprint: record?.fingerprint }]);
    expect(readFileSync(tree(at), 'utf8')).toBe('cleaner');
  });
});
