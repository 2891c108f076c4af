import { describe, expect, test } from '@jest/globals';
import { fetchOrder, uploadOrder } from '../../../pod/environment.ts';

const FETCH = {
  PRISTINE_GET_URL: 'http://127.0.0.1/x',
  PRISTINE_SHA256: 'a'.repeat(64),
  PRISTINE_SIZE: '12',
};
const UPLOAD = {
  PRISTINE_PUT_REBUILT: 'http://127.0.0.1/a',
  PRISTINE_PUT_REPORT_XML: 'http://127.0.0.1/b',
  PRISTINE_PUT_REPORT_JSON: 'http://127.0.0.1/c',
  PRISTINE_MAX_REBUILT_BYTES: '100',
  PRISTINE_MAX_REPORT_BYTES: '10',
};

describe('the environment', () => {
  test('of fetch', () => {
    expect(fetchOrder(FETCH)).toMatchObject({ sha256: 'a'.repeat(64), size: 12 });
  });

  test('of upload', () => {
    expect(uploadOrder(UPLOAD)).toMatchObject({ maxRebuiltBytes: 100, maxReportBytes: 10 });
  });

  test('names all that is wrong at once, and repeats no value', () => {
    const wrong = { PRISTINE_GET_URL: 'file:///secret', PRISTINE_SHA256: 'secret', PRISTINE_SIZE: '-1' };
    expect(() => fetchOrder(wrong)).toThrow(
      expect.objectContaining({
        code: 2,
        message: expect.stringMatching(/^(?!.*secret).*GET_URL.*SHA256.*SIZE.*\.$/),
      }),
    );
    expect(() => uploadOrder({})).toThrow(/PUT_REBUILT.*REPORT_XML.*REPORT_JSON.*MAX_REBUILT.*MAX_REPORT/);
  });

  test.each(['', '1e3', '1.5', ' 1', '99999999999999999'])('a size of %j is refused', (size) => {
    expect(() => fetchOrder({ ...FETCH, PRISTINE_SIZE: size })).toThrow('PRISTINE_SIZE');
  });
});
