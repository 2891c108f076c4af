import { describe, expect, test } from '@jest/globals';
import type { Accounts } from '../../../../cli/demo/check-accounts.ts';
import { checkAccounts } from '../../../../cli/demo/check-accounts.ts';
import type { Outcome } from '../../../../workflows/contract.ts';

const latin = Buffer.from('caf\xe9', 'latin1');

function line(path: string, outcome: Outcome, pathBase64?: string) {
  return { name: pathBase64 === undefined ? { path } : { path, pathBase64 }, size: 1, outcome, attempts: 1 };
}

function balanced(): Accounts {
  return {
    source: [Buffer.from('a'), Buffer.from('b/c'), latin],
    manifest: [
      line('a', 'rebuilt'),
      line('b/c', 'refused'),
      line('caf\ufffd', 'delivered', latin.toString('base64')),
    ],
    summary: { listed: 3, outcomes: { rebuilt: 1, refused: 1, delivered: 1 }, manifest: { lines: 3 } },
  };
}

describe('accounts of a scan', () => {
  test('balance when source, manifest and summary name the same files', () => {
    expect(checkAccounts(balanced())).toEqual([]);
  });

  test('a file without a line', () => {
    const accounts = balanced();
    expect(checkAccounts({ ...accounts, source: [...accounts.source, Buffer.from('d\ne')] })).toEqual([
      'd\\ne is in the source and has no line in the manifest.',
    ]);
  });

  test('a line without a file', () => {
    const accounts = balanced();
    expect(checkAccounts({ ...accounts, source: accounts.source.slice(1) })).toEqual([
      'a is in the manifest and not in the source.',
    ]);
  });

  test('names that are equal only after lossy decoding are two files', () => {
    const accounts = balanced();
    const lossy = Buffer.from('caf\ufffd');
    expect(checkAccounts({ ...accounts, source: [...accounts.source.slice(0, 2), lossy] })).toHaveLength(2);
  });

  test('a file with two lines, and the counts that no longer agree', () => {
    const accounts = balanced();
    const manifest = [...accounts.manifest, line('a', 'refused')];
    expect(checkAccounts({ ...accounts, manifest })).toEqual([
      'a has 2 lines in the manifest.',
      'The summary counts 1 refused, the manifest 2.',
      'The summary says 3 lines, the manifest has 4.',
    ]);
  });

  test('a sum of outcomes that is not what was listed', () => {
    const accounts = balanced();
    expect(checkAccounts({ ...accounts, summary: { ...accounts.summary, listed: 4 } })).toEqual([
      '4 files were listed but 3 have an outcome.',
    ]);
  });
});
