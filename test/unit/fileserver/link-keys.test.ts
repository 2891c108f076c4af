import { expect, test } from '@jest/globals';
import { linkKeysSchema } from '../../../fileserver/link-keys.ts';

const secret = 'secret:with,no'.replace(',', '.').padEnd(32, '+/=');

test('a key ring is read in order', () => {
  expect(linkKeysSchema.parse(`b:${secret}, a:${secret}`)).toEqual([
    { id: 'b', secret },
    { id: 'a', secret },
  ]);
});

test.each(['', 'a', `:${secret}`, `A:${secret}`, 'a:short', `a:${secret},`, `a:${secret},a:${secret}`])(
  '%j is no key ring, and the problem shows no secret',
  (text) => {
    const parsed = linkKeysSchema.safeParse(text);
    expect(parsed.success).toBe(false);
    expect(JSON.stringify(parsed.error?.issues)).not.toContain(secret);
  },
);
