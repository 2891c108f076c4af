import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { demoPlaces } from '../../../../cli/demo/places.ts';

const folder = mkdtempSync(join(tmpdir(), 'places-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('without settings, folders of our own below the state', () => {
  expect(demoPlaces({ SOURCE: '', DESTINATION: undefined }, folder, '/state')).toEqual({
    source: 'file:///state/demo/source',
    destination: 'file:///state/demo/clean',
    documents: '/state/demo/source',
  });
});

test('a URL is taken as it is, a relative path from the folder, percent-encoded where a URL needs it', () => {
  expect(demoPlaces({ SOURCE: 's3://inbox/a/', DESTINATION: 'odd #1?' }, folder, '/state')).toEqual({
    source: 's3://inbox/a/',
    destination: `file://${folder}/odd%20%231%3F`,
    documents: undefined,
  });
  expect(demoPlaces({ SOURCE: '.' }, folder, '/state').source).toBe(`file://${folder}`);
});

test('a source that is not there, or is a file, is refused with its path', () => {
  writeFileSync(join(folder, 'file'), '');
  expect(() => demoPlaces({ SOURCE: 'nowhere' }, folder, '/s')).toThrow(`there is no ${folder}/nowhere`);
  expect(() => demoPlaces({ SOURCE: 'file' }, folder, '/s')).toThrow('is not a folder');
});
