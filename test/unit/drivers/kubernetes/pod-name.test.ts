import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { labelValue } from '../../../../drivers/kubernetes/pod-labels.ts';
import { base32Digest, podName } from '../../../../drivers/kubernetes/pod-name.ts';

const SHA256 = createHash('sha256').update('hello\n').digest('hex');

describe('base32Digest', () => {
  // coreutils: printf 'hello\n' | sha256sum | xxd -r -p | base32
  test('is what base32 says, in lower case and without padding', () => {
    expect(base32Digest(SHA256)).toBe('lci3lnjc2xpqq3ip6cyrb66z2in3j7drmoxtjuecq2roqrxwxybq');
  });

  test.each([
    ['0'.repeat(64), 'a'.repeat(52)],
    ['f'.repeat(64), `${'7'.repeat(51)}q`],
  ])('of %s', (hex, expected) => {
    expect(base32Digest(hex)).toBe(expected);
  });

  test.each(['', 'A'.repeat(64), `${'a'.repeat(64)}\n`, 'g'.repeat(64)])('does not take %j', (text) => {
    expect(() => base32Digest(text)).toThrow(RangeError);
  });
});

describe('podName', () => {
  test('is one DNS label, made of content, profile and attempt', () => {
    const name = podName(SHA256, '0123abcd', 7);
    expect(name).toBe('pristine-lci3lnjc2xpqq3ip6cyrb66z2in3j7drmoxtjuec-0123abcd-a7');
    expect(podName(SHA256, '0123abcd', 999)).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])$/);
    expect(podName(SHA256, '0123abcd', 999)).toHaveLength(63);
  });

  test.each([
    ['0123ABCD', 1],
    ['0123abc', 1],
    ['0123abcd', 1000],
    ['0123abcd', -1],
    ['0123abcd', 1.5],
  ])('does not take profile %s with attempt %d', (fingerprint, attempt) => {
    expect(() => podName(SHA256, fingerprint, attempt)).toThrow(RangeError);
  });
});

describe('labelValue', () => {
  test.each(['scan-finance', 'A.b_c-1', 'a'.repeat(63)])('keeps %s', (text) => {
    expect(labelValue(text)).toBe(text);
  });

  test.each(['', 'a'.repeat(64), '-a', 'a-', 'a b', 'ä', 'a/b', 'a\n'])('hashes %j', (text) => {
    expect(labelValue(text)).toMatch(/^x-[a-z2-7]{52}$/);
  });
});
