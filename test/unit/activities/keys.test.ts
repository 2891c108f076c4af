import { expect, test } from '@jest/globals';
import { partKey, reportKey, scanKey, treeKey } from '../../../activities/keys.ts';

test.each([
  ['scan-1', 'scans/scan-1/x'],
  ['..', 'scans/%2E./x'],
  ['a/../../b', 'scans/a%2F..%2F..%2Fb/x'],
  ['new\nline', 'scans/new%0Aline/x'],
  ['März', 'scans/M%C3%A4rz/x'],
])('the workflow ID %j is one folder', (id, key) => {
  expect(scanKey(id, 'x')).toBe(key);
});

test('long workflow IDs that begin alike have folders of their own', () => {
  const [one, two] = [`${'a'.repeat(300)}1`, `${'a'.repeat(300)}2`];
  expect(scanKey(one, 'x')).not.toBe(scanKey(two, 'x'));
  expect(scanKey(one, 'x').split('/')[1]).toHaveLength(200);
});

test('parts sort by their number', () => {
  expect(partKey('s', 'run', 7)).toBe('scans/s/parts/run/0000007.jsonl');
});

test('names go under tree and reports byte by byte', () => {
  const name = { path: '\uFFFD', pathBase64: Buffer.from([0xff]).toString('base64') };
  expect(treeKey(name)).toEqual(Buffer.concat([Buffer.from('tree/'), Buffer.from([0xff])]));
  expect(reportKey({ path: 'a b' }, 'xml')).toEqual(Buffer.from('reports/a b.xml'));
});
