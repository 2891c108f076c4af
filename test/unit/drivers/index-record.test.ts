import { expect, test } from '@jest/globals';
import { formatRecord, parseRecord } from '../../../drivers/index-record.ts';
import type { IndexRecord } from '../../../drivers/ports.ts';

const invalid = expect.objectContaining({ code: 'index.invalid', retryable: false });

test.each<[IndexRecord, string]>([
  [{ verdict: 'rebuilt', destination: 's3://clean/' }, 'rebuilt s3://clean/'],
  [{ verdict: 'refused', destination: 'file:///srv/clean%20side/' }, 'refused file:///srv/clean%20side/'],
  [{ verdict: 'quarantined', destination: 's3://clean/a b/' }, 'quarantined s3://clean/a b/'],
  [
    { verdict: 'rebuilt', destination: 's3://clean/', fingerprint: '0123abcd' },
    'rebuilt 0123abcd s3://clean/',
  ],
  [{ verdict: 'refused', destination: 'abcdef01:clean/ 0123abcd ' }, 'refused abcdef01:clean/ 0123abcd '],
])('%j is %j and back', (record, text) => {
  expect(formatRecord(record)).toBe(text);
  expect(parseRecord(text, 'x')).toEqual(record);
});

test.each([
  '',
  ' ',
  'rebuilt',
  'rebuilt ',
  'rebuilt  ',
  'rebuilt nowhere',
  'done s3://clean/',
  'Rebuilt s3://clean/',
  ' rebuilt s3://clean/',
  's3://clean/ rebuilt',
  'rebuilt s3://clean/\uFFFD/',
  'rebuilt 0123abcd ',
  'rebuilt 0123abc s3://clean/',
  'rebuilt 0123ABCD s3://clean/',
  'rebuilt 0123abcd 0123abcd s3://clean/',
])('%j can not be read', (text) => {
  expect(() => parseRecord(text, 'x')).toThrow(invalid);
});

test('what could not be read again is not written', () => {
  expect(() => formatRecord({ verdict: 'rebuilt', destination: '' })).toThrow(invalid);
  expect(() => formatRecord({ verdict: 'rebuilt', destination: 's3://\uFFFD/' })).toThrow(invalid);
  for (const fingerprint of ['', '0123abc', '0123ABCD', '0123abcde', '0123 bcd']) {
    expect(() => formatRecord({ verdict: 'rebuilt', destination: 's3://clean/', fingerprint })).toThrow(
      invalid,
    );
  }
});
