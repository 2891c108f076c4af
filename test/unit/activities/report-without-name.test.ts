/** `a` and a file below `a.xml/` want one name under reports/: a report that has none stays with its content. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { partKey } from '../../../activities/keys.ts';
import { settleFiles } from '../../../activities/settle-files.ts';
import { verifyDestination } from '../../../cli/verify.ts';
import type { SettledFile } from '../../../workflows/scan-state.ts';
import { fingerprint, removeWorlds, sha256Of, world } from './world.ts';

afterEach(removeWorlds);

const HOUR = 3_600_000;
const NO_NAME =
  /^its report stays with its content: The destination can't hold a file of this name \(its file system answers \w+\)/;

function place() {
  const at = world();
  at.ahead.ms = HOUR;
  let part = 0;
  const settle = async (...files: SettledFile[]) => {
    part += 1;
    const of = {
      scanId: 'scan',
      firstRunId: 'run',
      part,
      source: at.place('in'),
      destination: at.destination,
    };
    const profile = { name: 'default', fingerprint };
    await settleFiles(at.deps, { ...of, profile, files, watch: false }, () => {});
    const text = readFileSync(join(at.root, 'out', partKey('scan', 'run', part)), 'utf8');
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  };
  const read = (...names: string[]) => readFileSync(join(at.root, 'out', ...names), 'utf8');
  return { ...at, settle, read };
}

const file = (content: string, path: string, outcome: 'rebuilt' | 'refused' = 'rebuilt') => ({
  name: { path },
  size: content.length,
  sha256: sha256Of(content),
  outcome,
});

describe.each(['rebuilt', 'refused'] as const)('what was %s stays so', (outcome) => {
  test.each<[string, string[]]>([
    ['a name', ['a', 'a.xml/b']],
    ['a folder', ['a.xml/b', 'a']],
  ])('where its report finds %s of another taken', async (_, paths) => {
    const at = place();
    for (const path of paths) await at.report(path, outcome);
    const lines: object[] = [];
    for (const path of paths) {
      lines.push(...(await at.settle({ ...file(path, path, outcome), from: at.destination })));
    }
    const said = outcome === 'refused' ? 'encrypted; ' : '';
    expect(lines).toMatchObject([
      { path: paths[0], outcome },
      { path: paths[1], outcome, receipt: expect.any(String) },
    ]);
    const { reason } = lines[1] as { reason: string };
    expect(reason.slice(0, said.length)).toBe(said);
    expect(reason.slice(said.length)).toMatch(NO_NAME);
    if (outcome === 'rebuilt') for (const path of paths) expect(at.read('tree', path)).toBe('clean');
    const violations: unknown[] = [];
    await verifyDestination(at.deps.openDestination(at.destination), (one) => violations.push(one));
    expect(violations).toEqual([]);
  });
});

test('a name that is too long with its ending only', async () => {
  const at = place();
  const path = 'n'.repeat(253);
  await at.report(path, 'rebuilt');
  const [line] = await at.settle({ ...file(path, path), from: at.destination });
  expect(line).toMatchObject({ outcome: 'rebuilt', reason: expect.stringMatching(/stays with its content/) });
  expect(at.read('tree', path)).toBe('clean');
});

test('a delivery without its report is not noted as one that stands: the report is tried again', async () => {
  const at = place();
  await at.report('a', 'rebuilt');
  const known = async () => {
    const version = '1';
    const named = [{ name: Buffer.from('a'), version: `${version} 1 1` }];
    const of = { source: at.place('in'), destination: at.destination, profile: fingerprint };
    const [recalled] = await at.deps.memory.recall(of, named);
    const delivered = { ...file('a', 'a'), outcome: 'delivered' as const, from: at.destination, version };
    return { ...delivered, memory: { modifiedAt: 1, delivery: recalled?.delivery } };
  };
  mkdirSync(join(at.root, 'out/reports/a.xml'), { recursive: true });
  for (let again = 0; again < 3; again++) {
    expect(await at.settle(await known())).toMatchObject([{ reason: expect.stringMatching(NO_NAME) }]);
  }
  rmSync(join(at.root, 'out/reports/a.xml'), { recursive: true });
  await at.settle(await known());
  await at.settle(await known());
  expect(await known()).toMatchObject({ memory: { delivery: { report: 'xml' } } });
  expect(at.read('reports/a.xml')).toBe('<report/>');
  // One that is noted with its report, and has lost its name since.
  rmSync(join(at.root, 'out/reports/a.xml'));
  mkdirSync(join(at.root, 'out/reports/a.xml'));
  expect(await at.settle(await known())).toMatchObject([
    { outcome: 'delivered', reason: expect.stringMatching(NO_NAME) },
  ]);
});
