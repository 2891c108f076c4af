import { describe, expect, test } from '@jest/globals';
import { parseRetryInput } from '../../../workflows/retry-input.ts';

const destination = 's3://clean/';
const sha256 = 'ab'.repeat(32);

describe('the input of retryQuarantined', () => {
  test.each([
    [{ destination, sha256 }],
    [{ destination, class: 'crash', profile: 'default' }],
    [{ destination, all: true, profile: '0a0b0c0d' }],
  ])('%j is taken', (input) => {
    expect(parseRetryInput(input)).toEqual(input);
  });

  test.each<[unknown, string]>([
    [undefined, 'the input: given nothing, expected a object'],
    [{ all: true }, '"destination": given nothing, expected a string'],
    [{ destination: '/clean', all: true }, '"destination": given "/clean", expected a URL such as'],
    [{ destination, sha256: 'AB' }, '"sha256": given "AB", expected the sha256 of a content: 64 hex digits'],
    [{ destination, class: 'No class' }, '"class": given "No class", expected a failure class such as'],
    [{ destination, all: false }, '"all": given false, expected true'],
    [{ destination, all: true, profile: '../x' }, '"profile": given "../x", expected a profile name'],
    [{ destination }, 'expected exactly one of "sha256", "class" and "all": true'],
    [{ destination, sha256, all: true }, 'expected exactly one of "sha256", "class" and "all": true'],
    [
      { destination, all: true, sauce: 1 },
      'unknown field "sauce": allowed are destination, profile, sha256, class, all',
    ],
  ])('%j is refused, with what is allowed', (input, message) => {
    expect(() => parseRetryInput(input)).toThrow(message);
    expect(() => parseRetryInput(input)).toThrow(/^retry input is not valid\. /);
  });
});
