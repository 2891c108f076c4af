import { describe, expect, test } from '@jest/globals';
import type { LinkKeys } from '../../../fileserver/link-keys.ts';
import { createLinkSigner, type Link, verifyLink } from '../../../fileserver/links.ts';

const NEW = { id: 'new', secret: 'n'.repeat(32) };
const OLD = { id: 'old', secret: 'o'.repeat(32) };
const roots = ['/data/in', '/data/out'];
const link: Link = {
  method: 'PUT',
  root: '/data/out',
  path: Buffer.from([0x63, 0xff, 0x2f, 0x0a]),
  pod: 'pristine-abc-a1',
  expiresAt: 2_000,
  maxBytes: 10,
};

function sign(changes: Partial<Link> = {}, keys: LinkKeys = [NEW]): string {
  const url = createLinkSigner({ baseUrl: 'http://files:8080/', keys }).sign({ ...link, ...changes });
  expect(url.startsWith('http://files:8080/f/')).toBe(true);
  return new URL(url).pathname;
}

function verify(target: string, changes: { method?: string; now?: number; keys?: LinkKeys } = {}) {
  const { method = 'PUT', now = 1_000, keys = [NEW, OLD] } = changes;
  return verifyLink({ method, target, now }, { keys, roots });
}

describe('a link', () => {
  test('gives back what was signed', () => {
    expect(verify(sign())).toEqual({ link });
  });

  test('has no room for a limit that was not set', () => {
    const { maxBytes, ...bare } = link;
    expect(maxBytes).toBe(10);
    expect(verify(sign({ maxBytes: undefined }))).toEqual({ link: bare });
  });

  test('is good until its time and not at it', () => {
    expect(verify(sign(), { now: 1_999 })).toHaveProperty('link');
    expect(verify(sign(), { now: 2_000 })).toMatchObject({ refusal: 'expired', pod: link.pod });
  });

  test.each(['GET', 'HEAD', 'POST', 'DELETE', 'put'])('to upload is not for %s', (method) => {
    expect(verify(sign(), { method })).toMatchObject({ refusal: 'other-method' });
  });

  test('into a folder that is no root is refused', () => {
    for (const root of ['/data', '/data/out/sub', '/']) {
      expect(verify(sign({ root }))).toMatchObject({ refusal: 'other-root' });
    }
  });

  test('of which any one character is another is refused', () => {
    const good = sign();
    for (let at = '/f/'.length; at < good.length; at += 1) {
      for (const other of ['A', 'B', '0', '-', '.', '%']) {
        if (good[at] === other) continue;
        expect(verify(good.slice(0, at) + other + good.slice(at + 1))).toHaveProperty('refusal');
      }
    }
  });

  test('with another payload under an old signature is refused', () => {
    const [, , mac] = sign().split('.');
    const [keyId, payload] = sign({ pod: 'pristine-xyz-a1' }).split('.');
    expect(verify(`${keyId}.${payload}.${mac}`)).toEqual({ refusal: 'bad-signature' });
  });

  test('spelled otherwise is refused, although its signature decodes to the same bytes', () => {
    const good = sign();
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const twins = [...alphabet].map((last) => good.slice(0, -1) + last).filter((each) => each !== good);
    for (const twin of [...twins, `${good}=`, `${good}?x`, `${good}/`, `${good}#`, good.slice(0, -1)]) {
      expect(verify(twin)).toHaveProperty('refusal');
    }
  });

  test.each([
    '',
    '/',
    '/f',
    '/f/',
    '/f/a',
    '/f/a.b',
    '/f/a.b.c.d',
    '/f/new..',
    '/g/new.a.b',
    `/f/new.${'a'.repeat(9)}.b`,
  ])('that is none (%j) is refused', (target) => {
    expect(verify(target)).toHaveProperty('refusal');
  });
});

describe('keys', () => {
  test('rotate: the first signs, all verify, one that is gone does not', () => {
    const before = sign({}, [OLD]);
    const after = sign({}, [NEW, OLD]);
    expect(verify(before)).toHaveProperty('link');
    expect(verify(after, { keys: [NEW] })).toHaveProperty('link');
    expect(verify(after, { keys: [OLD] })).toEqual({ refusal: 'unknown-key' });
    expect(verify(before, { keys: [NEW] })).toEqual({ refusal: 'unknown-key' });
  });

  test('one secret does not do for another id', () => {
    const renamed = sign({}, [{ ...OLD, id: 'new' }]);
    expect(verify(renamed)).toEqual({ refusal: 'bad-signature' });
    const sameSecret = sign({}, [{ ...NEW, id: 'old' }]);
    expect(verify(sameSecret.replace('/f/old.', '/f/new.'))).toEqual({ refusal: 'bad-signature' });
  });
});
