import { afterEach, describe, expect, test } from '@jest/globals';
import { quarantineContent } from '../../../activities/quarantine-content.ts';
import { quarantineNotes } from '../../../activities/quarantine-notes.ts';
import { retryQuarantined } from '../../../activities/retry-quarantined.ts';
import { profileFingerprint } from '../../../drivers/profile.ts';
import type { RetryInput, RetryResult } from '../../../workflows/contract.ts';
import { fingerprint, removeWorlds, sha256Of, world } from './world.ts';

afterEach(removeWorlds);

/** A world with these contents quarantined, each for a class, in the order of their keys. */
async function quarantined(contents: Record<string, string>, profile = fingerprint, base?: string) {
  const made = world();
  for (const [content, failure] of Object.entries(contents)) {
    await quarantineContent(made.deps, {
      sha256: sha256Of(content),
      profile: { name: 'default', fingerprint: profile, base },
      destination: made.destination,
      owner: 'run',
      quarantine: { reason: `why ${content}`, class: failure, attempts: 4, logs: [] },
    });
  }
  const { deps, destination } = made;
  const place = deps.openDestination(destination);
  const noted = async () => {
    const found: string[] = [];
    for await (const note of quarantineNotes(place)) found.push(note.sha256);
    return found.sort();
  };
  const recorded = async (content: string, at = base ?? profile) =>
    (await deps.index.lookup(at, [sha256Of(content)]))[0]?.verdict;
  const beats: RetryResult[] = [];
  const retry = (input: Partial<RetryInput>, before?: RetryResult) =>
    retryQuarantined(deps, { destination, ...input }, (details) => beats.push(details), before);
  return { ...made, place, noted, recorded, retry, beats };
}
const sorted = (...contents: string[]) => contents.map(sha256Of).sort();

describe('clearing quarantined contents', () => {
  test('one: its record and its note go, nobody else is touched', async () => {
    const { retry, noted, recorded } = await quarantined({ a: 'crash', b: 'crash' });
    const result = await retry({ sha256: sha256Of('a') });
    expect(result).toEqual({ cleared: 1, contents: [{ sha256: sha256Of('a'), profile: fingerprint }] });
    expect([await recorded('a'), await recorded('b')]).toEqual([undefined, 'quarantined']);
    expect(await noted()).toEqual(sorted('b'));
    expect(await retry({ sha256: sha256Of('a') })).toEqual({ cleared: 0, contents: [] });
  });

  test('a class', async () => {
    const { retry, noted, recorded } = await quarantined({ a: 'crash', b: 'resource', c: 'crash' });
    expect((await retry({ class: 'crash' })).cleared).toBe(2);
    expect(await recorded('c')).toBeUndefined();
    expect(await noted()).toEqual(sorted('b'));
    expect((await retry({ class: 'disruption' })).cleared).toBe(0);
  });

  test('all, of which the result names the first hundred', async () => {
    const many = Object.fromEntries(Array.from({ length: 120 }, (_, n) => [`file ${n}`, 'crash']));
    const { retry, noted } = await quarantined(many);
    const { cleared, contents } = await retry({ all: true });
    expect([cleared, contents.length]).toEqual([120, 100]);
    expect(await noted()).toEqual([]);
  });

  test('a result that came since stays on record; the note goes', async () => {
    const { retry, noted, recorded, deps, destination } = await quarantined({ a: 'crash' });
    await deps.index.add(
      { sha256: sha256Of('a'), profile: fingerprint },
      { verdict: 'rebuilt', destination },
    );
    expect((await retry({ all: true })).cleared).toBe(1);
    expect(await recorded('a')).toBe('rebuilt');
    expect(await noted()).toEqual([]);
  });

  test('the note goes last: a try that dies before can be repeated', async () => {
    const { retry, noted, recorded, deps } = await quarantined({ a: 'crash' });
    const { forget } = deps.index;
    deps.index.forget = async () => {
      throw new Error('Redis is away');
    };
    await expect(retry({ all: true })).rejects.toThrow('Redis is away');
    expect(await noted()).toEqual(sorted('a'));
    deps.index.forget = forget;
    expect((await retry({ all: true })).cleared).toBe(1);
    expect(await recorded('a')).toBeUndefined();
  });

  test('a try that goes on from another counts what that had cleared', async () => {
    const { retry, beats } = await quarantined({ a: 'crash', b: 'crash' });
    const first = await retry({ sha256: sha256Of('a') });
    expect(beats.at(-1)).toEqual(first);
    expect(await retry({ all: true }, first)).toMatchObject({ cleared: 2, contents: [{}, {}] });
  });

  test("of a forced scan's note the record lies under the profile's own fingerprint", async () => {
    const { retry, recorded } = await quarantined({ a: 'crash' }, 'ffffffff', fingerprint);
    expect(await recorded('a')).toBe('quarantined');
    expect((await retry({ all: true, profile: fingerprint })).cleared).toBe(1);
    expect(await recorded('a')).toBeUndefined();
  });

  test('only of a profile, by its fingerprint or its name', async () => {
    const { retry, deps, noted } = await quarantined({ a: 'crash' });
    expect((await retry({ all: true, profile: '12345678' })).cleared).toBe(0);
    // "default" of this world has another fingerprint than the note's.
    expect((await retry({ all: true, profile: 'default' })).cleared).toBe(0);
    expect(await noted()).toEqual(sorted('a'));
    const [named = ''] = Object.values(deps.profiles).map(profileFingerprint);
    const other = await quarantined({ a: 'crash' }, named);
    expect((await other.retry({ all: true, profile: 'default' })).cleared).toBe(1);
    await expect(retry({ all: true, profile: 'nope' })).rejects.toThrow(/"profile": given "nope".*default/);
  });
});

describe('the notes of a destination', () => {
  test('one beside a receipt is left over and names nothing', async () => {
    const { place, noted } = await quarantined({ a: 'crash', b: 'crash' });
    const folder = `content/${sha256Of('a').slice(0, 2)}/${sha256Of('a')}`;
    await place.write(`${folder}/${fingerprint}/receipt.json`, '{}');
    expect(await noted()).toEqual(sorted('b'));
    // Under another profile it is another result.
    await place.write(`${folder}/ffffffff/quarantined.json`, '{}');
    expect(await noted()).toEqual(sorted('a', 'b'));
  });

  test.each([['no JSON'], ['{"reason": 1}'], ['"']])('%s is told and can be cleared', async (raw) => {
    const { place, retry, recorded } = await quarantined({ a: 'crash' });
    const sha256 = sha256Of('a');
    await place.write(`content/${sha256.slice(0, 2)}/${sha256}/${fingerprint}/quarantined.json`, raw);
    const notes = [];
    for await (const note of quarantineNotes(place, { sha256 })) notes.push(note);
    expect(notes).toMatchObject([
      { sha256, fingerprint, class: 'unknown', reason: 'its note can not be read' },
    ]);
    await retry({ sha256 });
    expect(await recorded('a')).toBeUndefined();
  });
});
