import { expect, test } from '@jest/globals';
import type { IndexRecord } from '../../../../drivers/ports.ts';
import { formatRecord, parseRecord } from '../../../../drivers/redis/record.ts';

const invalid = expect.objectContaining({ code: 'index.invalid', retryable: false });

test.each<[IndexRecord, string]>([
  [{ verdict: 'rebuilt', destination: 's3://clean/' }, 'rebuilt s3://clean/'],
  [{ verdict: 'refused', destination: 'file:///srv/clean%20side/' }, 'refused file:///srv/clean%20side/'],
  [{ verdict: 'quarantined', destination: 's3://clean/a b/' }, 'quarantined s3://clean/a b/'],
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
])('%j can not be read', (text) => {
  expect(() => parseRecord(text, 'x')).toThrow(invalid);
});

test('what could not be read again is not written', () => {
  expect(() => formatRecord({ verdict: 'rebuilt', destination: '' })).toThrow(invalid);
  expect(() => formatRecord({ verdict: 'rebuilt', destination: 's3://\uFFFD/' })).toThrow(invalid);
});
