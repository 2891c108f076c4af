import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { claimContent } from '../../../activities/claim-content.ts';
import { finishScan } from '../../../activities/finish-scan.ts';
import { receiptKey, scanKey, slotKey } from '../../../activities/keys.ts';
import { settleFiles } from '../../../activities/settle-files.ts';
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
    { scanId: 'scan', firstRunId: 'run', part: 1, destination, fingerprint, files, watch: false },
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

test('a receipt of another content stops the delivery with words', async () => {
  const at = world();
  await at.attempt('hostile', 'clean');
  const content = { sha256: sha256Of('hostile'), fingerprint };
  const other = receiptKey({ sha256: sha256Of('other'), fingerprint });
  mkdirSync(join(at.root, 'out', other, '..'), { recursive: true });
  writeFileSync(join(at.root, 'out', other), readFileSync(join(at.root, 'out', receiptKey(content))));
  await expect(settle(at, [rebuilt('other', at.destination)])).rejects.toThrow(/belongs to another content/);
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

test('a lost record is found again by the receipt', async () => {
  const at = world();
  await at.attempt('hostile', 'clean');
  const { sha256, profile, destination, scanId } = at.file('hostile');
  const claim = { sha256, profile, destination, scanId, owner: 'me' };
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

test('books that do not balance fail the scan', async () => {
  const at = world();
  await at.attempt('hostile', 'clean');
  const { counts } = await settle(at, [rebuilt('hostile', at.destination)]);
  const input = {
    scanId: 'scan',
    firstRunId: 'run',
    source: at.place('in'),
    destination: at.destination,
    profile: { name: 'default', fingerprint },
    startedAt: 0,
    parts: 1,
    listed: 1,
    counts,
  };
  expect(await finishScan(at.deps, input, () => {})).toMatchObject({ listed: 1, manifest: { lines: 1 } });
  expect(existsSync(join(at.root, 'out', scanKey('scan', 'SHA256SUMS')))).toBe(true);
  const gap = expect.objectContaining({ type: 'AccountingGap' });
  await expect(finishScan(at.deps, { ...input, listed: 2 }, () => {})).rejects.toEqual(gap);
  await expect(finishScan(at.deps, { ...input, parts: 2 }, () => {})).rejects.toEqual(gap);
  const wrong = { ...counts, rebuilt: 0, delivered: 1 };
  await expect(finishScan(at.deps, { ...input, counts: wrong }, () => {})).rejects.toEqual(gap);
});
