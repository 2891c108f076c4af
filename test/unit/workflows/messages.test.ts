import { describe, expect, test } from '@jest/globals';
import { checkParallelFiles, parseScanInput } from '../../../workflows/messages.ts';

const good = { source: 'file:///data/in', destination: 's3://clean/' };

describe('scan input', () => {
  test('needs only source and destination', () => {
    expect(parseScanInput(good)).toEqual({
      ...good,
      profile: 'default',
      parallelFiles: 10,
      mode: 'reuse',
      failureLimit: { share: 0.5, of: 20 },
      retries: 3,
      watch: false,
    });
  });

  test.each([
    ['a wrong field', { ...good, paralelFiles: 3 }, /unknown field "paralelFiles": allowed are source, /],
    ['no source', { destination: 's3://clean/' }, /"source": given nothing, expected a string/],
    [
      'a path for a URL',
      { ...good, source: '/data/in' },
      /"source": given "\/data\/in", expected a URL such as/,
    ],
    ['no files at all', { ...good, parallelFiles: 0 }, /"parallelFiles": given 0, expected at least 1/],
    ['too many files', { ...good, parallelFiles: 501 }, /"parallelFiles": given 501, expected at most 500/],
    ['half a file', { ...good, parallelFiles: 1.5 }, /"parallelFiles": given 1.5, expected a whole number/],
    ['negative retries', { ...good, retries: -1 }, /"retries": given -1, expected at least 0/],
    ['watch in words', { ...good, watch: 'yes' }, /"watch": given "yes", expected true, false, or seconds/],
    ['text for the input', 'file:///data/in', /the input: given "file:\/\/\/data\/in", expected a object/],
    ['nothing', undefined, /the input: given nothing/],
  ])('%s is refused with what was given and what is allowed', (_, input, message) => {
    expect(() => parseScanInput(input)).toThrow(message);
  });

  test('all problems come at once, as a failure that is not retried', () => {
    const read = () => parseScanInput({ source: 'x', parallelFiles: 0 });
    expect(read).toThrow(/"source".*"destination".*"parallelFiles"/);
    expect(read).toThrow(expect.objectContaining({ type: 'InvalidInput', nonRetryable: true }));
  });
});

test('the update setParallelFiles is held to the same limits', () => {
  expect(() => checkParallelFiles(20)).not.toThrow();
  expect(() => checkParallelFiles(0)).toThrow(/given 0/);
  expect(() => checkParallelFiles('20')).toThrow(/given "20"/);
});
