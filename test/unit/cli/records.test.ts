import { describe, expect, test } from '@jest/globals';
import { recordsOf } from '../../../cli/records.ts';
import { memoryDestination } from './memory-destination.ts';

const profile = '0a1b2c3d';
const digest = (letter: string) => letter.repeat(64);
const folder = (letter: string, fingerprint = profile) =>
  `content/${letter}${letter}/${digest(letter)}/${fingerprint}`;

function receipt(letter: string, verdict: 'rebuilt' | 'refused', fingerprint = profile): Buffer {
  return Buffer.from(
    JSON.stringify({
      version: 1,
      sha256: digest(letter),
      size: 1,
      profile: { name: 'default', fingerprint },
      engine: { image: 'engine:1' },
      verdict,
      attempt: 1,
      slot: 'a1-x',
      pod: { name: 'p', uid: 'u' },
      exitCodes: {},
      times: {},
      logs: [],
      scan: 's',
      committedAt: '2024-01-01T00:00:00Z',
    }),
  );
}
const note = Buffer.from(JSON.stringify({ reason: 'it hangs', attempts: 4 }));

async function records(...objects: [string, Buffer][]) {
  const found: string[] = [];
  for await (const { sha256, record } of recordsOf([memoryDestination(new Map(objects))], profile)) {
    found.push(`${sha256.slice(0, 1)} ${record.verdict} ${record.destination}`);
  }
  return found;
}

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
    ).toEqual(['a rebuilt memory://here/', 'b refused memory://here/', 'c quarantined memory://here/']);
  });

  test('a receipt wins over a quarantine note of the same content', async () => {
    expect(
      await records(
        [`${folder('a')}/quarantined.json`, note],
        [`${folder('a')}/receipt.json`, receipt('a', 'rebuilt')],
      ),
    ).toEqual(['a rebuilt memory://here/']);
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
