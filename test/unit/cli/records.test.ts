import { describe, expect, test } from '@jest/globals';
import { recordsOf } from '../../../cli/records.ts';
import { memoryDestination } from './memory-destination.ts';

const profile = '0a1b2c3d';
const digest = (letter: string) => letter.repeat(64);
const folder = (letter: string, fingerprint = profile) =>
  `content/${letter}${letter}/${digest(letter)}/${fingerprint}`;

function receipt(
  letter: string,
  verdict: 'rebuilt' | 'refused',
  fingerprint = profile,
  { base, committedAt = '2024-01-01T00:00:00Z' }: { base?: string; committedAt?: string } = {},
): Buffer {
  return Buffer.from(
    JSON.stringify({
      version: 1,
      sha256: digest(letter),
      size: 1,
      profile: { name: 'default', fingerprint, base },
      engine: { image: 'engine:1' },
      verdict,
      ...(verdict === 'rebuilt' && {
        rebuilt: { key: `${folder(letter, fingerprint)}/a1-x/rebuilt`, size: 1, sha256: digest('f') },
      }),
      attempt: 1,
      slot: 'a1-x',
      pod: { name: 'p', uid: 'u' },
      exitCodes: {},
      times: {},
      logs: [],
      scan: 's',
      committedAt,
    }),
  );
}
const note = Buffer.from(JSON.stringify({ reason: 'it hangs', attempts: 4 }));

type Objects = [string, Buffer][];

async function recordsIn(places: Objects[], others: string[] = []) {
  const found: string[] = [];
  const destinations = places.map((objects, at) => ({
    ...memoryDestination(new Map(objects)),
    url: `memory://${at}/`,
  }));
  for await (const { sha256, record } of recordsOf(destinations, profile, others)) {
    const under = record.fingerprint === undefined ? '' : ` under ${record.fingerprint}`;
    found.push(`${sha256.slice(0, 1)} ${record.verdict} ${record.destination}${under}`);
  }
  return found;
}
const records = (...objects: Objects) => recordsIn([objects]);
const noteAt = (at: string, base?: string) =>
  Buffer.from(JSON.stringify({ reason: 'it hangs', attempts: 4, at, base }));

describe('what the index should hold', () => {
  test('a record for each receipt and each quarantine note of the profile', async () => {
    expect(
      await records(
        [`${folder('a')}/receipt.json`, receipt('a', 'rebuilt')],
        [`${folder('a')}/a1-x/rebuilt`, Buffer.from('clean')],
        [`${folder('b')}/receipt.json`, receipt('b', 'refused')],
        [`${folder('c')}/quarantined.json`, note],
        [`${folder('d', 'ffffffff')}/receipt.json`, receipt('d', 'rebuilt', 'ffffffff')],
        [`${folder('e')}/a1-x/rebuilt`, Buffer.from('never committed')],
      ),
    ).toEqual(['a rebuilt memory://0/', 'b refused memory://0/', 'c quarantined memory://0/']);
  });

  test('a receipt wins over a quarantine note of the same content', async () => {
    expect(
      await records(
        [`${folder('a')}/quarantined.json`, note],
        [`${folder('a')}/receipt.json`, receipt('a', 'rebuilt')],
      ),
    ).toEqual(['a rebuilt memory://0/']);
  });

  test('a receipt that can not be read stops it, since its content would be rebuilt again', async () => {
    await expect(records([`${folder('a')}/receipt.json`, Buffer.from('{')])).rejects.toThrow(
      'does not parse',
    );
    await expect(records([`${folder('a')}/receipt.json`, receipt('b', 'rebuilt')])).rejects.toThrow(
      'belongs to',
    );
  });
});

describe('results of forced scans', () => {
  const forced = '77777777';
  const early = { committedAt: '2023-01-01T00:00:00Z' };
  const late = { committedAt: '2025-01-01T00:00:00Z' };

  test('lie under fingerprints of their own; the newest of a content counts', async () => {
    expect(
      await records(
        [`${folder('a')}/receipt.json`, receipt('a', 'rebuilt')],
        [`${folder('a', forced)}/receipt.json`, receipt('a', 'refused', forced, { base: profile, ...late })],
        [
          `${folder('b', '00000001')}/receipt.json`,
          receipt('b', 'refused', '00000001', { base: profile, ...early }),
        ],
        [`${folder('b')}/receipt.json`, receipt('b', 'rebuilt')],
        [`${folder('c', forced)}/receipt.json`, receipt('c', 'rebuilt', forced, { base: profile })],
        [`${folder('d', forced)}/receipt.json`, receipt('d', 'rebuilt', forced, { base: 'eeeeeeee' })],
      ),
    ).toEqual([
      `a refused memory://0/ under ${forced}`,
      'b rebuilt memory://0/',
      `c rebuilt memory://0/ under ${forced}`,
    ]);
  });

  test('that are quarantined count by their time too, but never over a receipt beside them', async () => {
    expect(
      await records(
        [`${folder('a')}/receipt.json`, receipt('a', 'rebuilt')],
        [`${folder('a', forced)}/quarantined.json`, noteAt(late.committedAt, profile)],
        [`${folder('b')}/receipt.json`, receipt('b', 'rebuilt')],
        [`${folder('b', forced)}/quarantined.json`, noteAt(early.committedAt, profile)],
        [`${folder('c')}/quarantined.json`, noteAt(late.committedAt)],
        [`${folder('c')}/receipt.json`, receipt('c', 'rebuilt', profile, early)],
        [`${folder('d', forced)}/quarantined.json`, noteAt(late.committedAt, 'eeeeeeee')],
      ),
    ).toEqual([
      `a quarantined memory://0/ under ${forced}`,
      'b rebuilt memory://0/',
      'c rebuilt memory://0/',
    ]);
  });

  test("what is known to be another profile's own is not read", async () => {
    const broken: Objects = [[`${folder('a', 'ffffffff')}/receipt.json`, Buffer.from('{')]];
    expect(await recordsIn([broken], ['ffffffff'])).toEqual([]);
    await expect(recordsIn([broken])).rejects.toThrow('does not parse');
  });
});

test('of several destinations each content comes once, the newest, in one order', async () => {
  const at = (letter: string, verdict: 'rebuilt' | 'refused', committedAt: string): Objects => [
    [`${folder(letter)}/receipt.json`, receipt(letter, verdict, profile, { committedAt })],
  ];
  expect(
    await recordsIn([
      [...at('a', 'rebuilt', '2024-01-01T00:00:00Z'), ...at('c', 'rebuilt', '2024-01-01T00:00:00Z')],
      [],
      [
        [`${folder('a')}/quarantined.json`, noteAt('2023-01-01T00:00:00Z')],
        ...at('b', 'rebuilt', '2024-01-01T00:00:00Z'),
        ...at('c', 'refused', '2025-01-01T00:00:00Z'),
      ],
    ]),
  ).toEqual(['a rebuilt memory://0/', 'b rebuilt memory://2/', 'c refused memory://2/']);
});
