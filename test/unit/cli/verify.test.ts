import { describe, expect, test } from '@jest/globals';
import type { Violation } from '../../../cli/verify.ts';
import { verifyDestination } from '../../../cli/verify.ts';
import type { Outcome } from '../../../workflows/contract.ts';
import { noOutcomes } from '../../../workflows/contract.ts';
import { memoryDestination, sha256 } from './memory-destination.ts';

const fingerprint = '0a1b2c3d';
const original = Buffer.from('original');
const clean = Buffer.from('clean');
const folder = `content/${sha256(original).slice(0, 2)}/${sha256(original)}/${fingerprint}`;
const slot = `${folder}/a1-x7`;
const badName = Buffer.from('tree/caf\xe9.txt', 'latin1');

function stored(key: string, bytes: Buffer) {
  return { key, size: bytes.length, sha256: sha256(bytes) };
}

function receipt(changes: object = {}) {
  return {
    version: 1,
    sha256: sha256(original),
    size: original.length,
    profile: { name: 'default', fingerprint },
    engine: { image: 'engine:1' },
    verdict: 'rebuilt',
    attempt: 1,
    slot: 'a1-x7',
    pod: { name: 'pristine-abc-a1', uid: 'u' },
    exitCodes: { engine: 0 },
    times: {},
    rebuilt: stored(`${slot}/rebuilt`, clean),
    report: stored(`${slot}/report.xml`, Buffer.from('<r/>')),
    logs: [],
    scan: 'scan-1',
    committedAt: '2024-01-01T00:00:00Z',
    ...changes,
  };
}

/** A destination after a scan of one file that was rebuilt and one that was refused. */
function afterScan(second: Outcome = 'refused', later = ''): Map<string, Buffer> {
  const lines = [
    { path: 'caf\ufffd.txt', pathBase64: Buffer.from('caf\xe9.txt', 'latin1').toString('base64'), size: 8 },
    { path: 'new\u2028line.bin', size: 3 },
  ];
  const manifest = Buffer.from(
    `${JSON.stringify({ ...lines[0], outcome: 'rebuilt', attempts: 1, receipt: `${folder}/receipt.json` })}\n` +
      `${JSON.stringify({ ...lines[1], outcome: second, attempts: 1, reason: 'said' })}\n${later}`,
  );
  const summary = {
    scan: 'scan-1',
    listed: 2,
    outcomes: { ...noOutcomes(), rebuilt: 1, [second]: 1 },
    profile: { name: 'default', fingerprint },
    manifest: { key: 'scans/scan-1/manifest.jsonl', lines: 2, sha256: sha256(manifest) },
  };
  return new Map<string, Buffer>([
    [`${folder}/receipt.json`, Buffer.from(JSON.stringify(receipt()))],
    [`${slot}/rebuilt`, clean],
    [`${slot}/report.xml`, Buffer.from('<r/>')],
    [badName.toString('latin1'), clean],
    ['scans/scan-1/manifest.jsonl', manifest],
    ['scans/scan-1/summary.json', Buffer.from(JSON.stringify(summary))],
  ]);
}

async function violationsOf(objects: Map<string, Buffer>, scan?: string) {
  const found: Violation[] = [];
  const verified = await verifyDestination(
    memoryDestination(objects),
    (violation) => found.push(violation),
    scan,
  );
  return { verified, found: found.map(({ kind, key }) => `${kind} ${Buffer.from(key).toString('latin1')}`) };
}

describe('verify', () => {
  test('finds nothing wrong where each file of the tree holds bytes that a receipt names', async () => {
    expect(await violationsOf(afterScan(), 'scan-1')).toEqual({
      verified: { receipts: 1, stored: 2, tree: 1 },
      found: [],
    });
  });

  test('reports an original that somebody put under tree/', async () => {
    const objects = afterScan().set('tree/planted', original);
    expect((await violationsOf(objects)).found).toEqual(['tree-unknown tree/planted']);
  });

  test('does not take the bytes of a report, or of a slot without receipt, for rebuilt ones', async () => {
    const objects = afterScan()
      .set('tree/report', Buffer.from('<r/>'))
      .set(`${folder}/a2-late/rebuilt`, original)
      .set('tree/late', original);
    expect((await violationsOf(objects)).found).toEqual([
      'tree-unknown tree/late',
      'tree-unknown tree/report',
    ]);
  });

  test('reports content that is gone and content with other bytes', async () => {
    const objects = afterScan().set(`${slot}/rebuilt`, Buffer.from('CLEAN'));
    objects.delete(`${slot}/report.xml`);
    expect((await violationsOf(objects)).found).toEqual([
      `content-altered ${slot}/rebuilt`,
      `content-missing ${slot}/report.xml`,
    ]);
  });

  test.each([
    ['is no JSON', '{'],
    ['lacks fields', '{"version":1}'],
    ['belongs to another content', JSON.stringify(receipt({ sha256: sha256('other') }))],
    [
      'belongs to another profile',
      JSON.stringify(receipt({ profile: { name: 'default', fingerprint: 'ffffffff' } })),
    ],
  ])('vouches for nothing with a receipt that %s', async (_, written) => {
    const objects = afterScan().set(`${folder}/receipt.json`, Buffer.from(written));
    expect((await violationsOf(objects)).found).toEqual([
      `receipt-invalid ${folder}/receipt.json`,
      `tree-unknown ${badName.toString('latin1')}`,
    ]);
  });

  test('takes the original for rebuilt only where the receipt says that the engine gave it back', async () => {
    const rebuilt = stored(`${slot}/rebuilt`, original);
    const written = (changes: object) =>
      afterScan()
        .set(`${folder}/receipt.json`, Buffer.from(JSON.stringify(receipt({ rebuilt, ...changes }))))
        .set(`${slot}/rebuilt`, original)
        .set(badName.toString('latin1'), original);
    expect((await violationsOf(written({ sameBytes: true }))).found).toEqual([]);
    expect((await violationsOf(written({}))).found).toEqual([
      `receipt-invalid ${folder}/receipt.json`,
      `tree-unknown ${badName.toString('latin1')}`,
    ]);
  });

  test('with a scan: reports a delivered file that is not there', async () => {
    const objects = afterScan();
    objects.delete(badName.toString('latin1'));
    expect((await violationsOf(objects, 'scan-1')).found).toEqual([
      `tree-missing ${badName.toString('latin1')}`,
    ]);
  });

  test('with a scan: reports a delivered file that holds the clean bytes of another content', async () => {
    const other = Buffer.from('other clean');
    const place = `content/aa/aa${'0'.repeat(62)}/${fingerprint}`;
    const objects = afterScan()
      .set(
        `${place}/receipt.json`,
        Buffer.from(
          JSON.stringify(
            receipt({
              sha256: `aa${'0'.repeat(62)}`,
              rebuilt: stored(`${place}/a1-q/rebuilt`, other),
              report: undefined,
            }),
          ),
        ),
      )
      .set(`${place}/a1-q/rebuilt`, other)
      .set(badName.toString('latin1'), other);
    expect((await violationsOf(objects, 'scan-1')).found).toEqual([
      `tree-missing ${badName.toString('latin1')}`,
    ]);
  });

  const other = Buffer.from('tree/new\u2028line.bin').toString('latin1');

  test.each(['refused', 'quarantined'] as const)(
    'with a scan: reports a %s file that is in the tree, even with bytes that a receipt names',
    async (outcome) => {
      const objects = afterScan(outcome).set(other, clean);
      expect((await violationsOf(objects, 'scan-1')).found).toEqual([`tree-unexpected ${other}`]);
    },
  );

  test.each(['filtered', 'changed', 'gone', 'unreadable'] as const)(
    'with a scan: leaves a %s file what an earlier scan has delivered, if a receipt names it',
    async (outcome) => {
      expect((await violationsOf(afterScan(outcome), 'scan-1')).found).toEqual([]);
      expect((await violationsOf(afterScan(outcome).set(other, clean), 'scan-1')).found).toEqual([]);
      const planted = afterScan(outcome).set(other, original);
      expect((await violationsOf(planted, 'scan-1')).found).toEqual([`tree-unknown ${other}`]);
    },
  );

  test('with a scan that watched: the last line of a name that says what is there counts', async () => {
    const line = (outcome: Outcome) =>
      `${JSON.stringify({ path: 'new\u2028line.bin', size: 3, outcome, attempts: 1, receipt: `${folder}/receipt.json` })}\n`;
    const rebuiltLater = () => afterScan('quarantined', line('rebuilt') + line('changed'));
    expect((await violationsOf(rebuiltLater().set(other, clean), 'scan-1')).found).toEqual([]);
    expect((await violationsOf(rebuiltLater(), 'scan-1')).found).toEqual([`tree-missing ${other}`]);
    const refusedLater = () => afterScan('rebuilt', line('refused'));
    expect((await violationsOf(refusedLater(), 'scan-1')).found).toEqual([]);
    expect((await violationsOf(refusedLater().set(other, clean), 'scan-1')).found).toEqual([
      `tree-unexpected ${other}`,
    ]);
  });

  test('with a scan: reports a manifest that is not the one the summary names, and one that is missing', async () => {
    const objects = afterScan();
    const line = `${JSON.stringify({ path: 'x', size: 1, outcome: 'gone', attempts: 0 })}\n`;
    objects.set('scans/scan-1/manifest.jsonl', Buffer.from(line));
    expect((await violationsOf(objects, 'scan-1')).found).toEqual(['manifest-altered scans/scan-1']);
    expect((await violationsOf(objects, 'scan-2')).found).toEqual(['manifest-missing scans/scan-2']);
  });
});
