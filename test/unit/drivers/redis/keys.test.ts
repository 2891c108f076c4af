import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { rawSha256, redisKeys } from '../../../../drivers/redis/keys.ts';

const sha256 = 'ab'.repeat(32);
const tag = (key: string) => /\{([^}]*)\}/.exec(key)?.[1];

describe('keys of one profile', () => {
  const keys = redisKeys('pristine:eu');
  const { pattern, ...ofProfile } = keys.profile('0123abcd');
  const all = [...Object.values(ofProfile), keys.lock({ profile: '0123abcd', sha256 })];

  test('are all different and share one slot of a cluster', () => {
    expect(new Set(all).size).toBe(all.length);
    expect(all.map(tag)).toEqual(all.map(() => '0123abcd'));
  });

  test('begin with the prefix', () => {
    for (const key of all) expect(key.startsWith('pristine:eu:')).toBe(true);
    expect(pattern).toBe('pristine:eu:{0123abcd}:*');
  });
});

describe('locks', () => {
  const keys = redisKeys('pristine');
  test('are read back from their keys', () => {
    const key = { profile: '0123abcd', sha256 };
    expect(keys.parseLock(keys.lock(key))).toEqual(key);
  });
  test.each(['', 'pristine', `pristine:{p}:lock:${sha256}0`, `pristine:{p}:lock:`, 'pristine:{p}:filter'])(
    '%j is none',
    (key) => expect(keys.parseLock(key)).toBeNull(),
  );
});

describe('what would break out of its place is refused', () => {
  const invalid = expect.objectContaining({ code: 'index.invalid', retryable: false });
  test.each(['', 'a b', 'a*', 'a{b}', 'a\n', 'ä', 'x'.repeat(101)])('prefix %j', (prefix) => {
    expect(() => redisKeys(prefix)).toThrow(invalid);
  });
  test.each(['', 'a}b', '{a', 'a:b', 'a\n', '*', 'x'.repeat(65)])('profile %j', (profile) => {
    expect(() => redisKeys('pristine').profile(profile)).toThrow(invalid);
    expect(() => redisKeys('pristine').lock({ profile, sha256 })).toThrow(invalid);
  });
  test.each(['', 'ab', sha256.toUpperCase(), `${sha256}\n`, `${sha256}ab`])('sha256 %j', (wrong) => {
    expect(() => redisKeys('pristine').lock({ profile: 'p', sha256: wrong })).toThrow(invalid);
    expect(() => rawSha256(wrong)).toThrow(invalid);
  });
  test('a scan may be called anything', () => {
    const scans = ['a', '{a}', '}a{', 'a b', 'a\nb', 'ä', '\ud800', ''];
    const keys = scans.map((scan) => redisKeys('pristine').seen(scan));
    expect(new Set(keys).size).toBe(scans.length);
    for (const key of keys) expect(key).toMatch(/^pristine:seen:\{[^{}\s]*\}$/);
  });
});

test('a sha256 is 32 raw bytes', () => {
  expect(rawSha256(sha256)).toEqual(Buffer.alloc(32, 0xab));
});

test('each script documents as many keys as its name says', () => {
  const folder = new URL('../../../../drivers/redis/scripts/', import.meta.url);
  const files = readdirSync(folder);
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) {
    const lua = readFileSync(new URL(file, folder), 'utf8');
    const head = lua.slice(0, lua.indexOf(']]'));
    const code = lua.slice(lua.indexOf(']]'));
    const numbers = (text: string) => [...text.matchAll(/KEYS\[(\d+)\]/g)].map((match) => Number(match[1]));
    const count = Number(/-(\d+)\.lua$/.exec(file)?.[1]);
    expect(numbers(head)).toEqual(Array.from({ length: count }, (_, i) => i + 1));
    expect(Math.max(...numbers(code))).toBeLessThanOrEqual(count);
    expect(head).toMatch(/^ {2}Returns\b/m);
  }
});
