import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { valueRows } from '../../../helm/values-reference.ts';
import { referenceFiles } from '../../../helm/write-reference.ts';
import { allContainers, podTemplates } from './pod-templates.ts';
import { chart, ciFiles, rendered } from './render-chart.ts';

test.each(Object.entries(referenceFiles(chart)))(
  '%s is what node helm/write-reference.ts makes',
  (name, content) => {
    expect(readFileSync(join(chart, name), 'utf8')).toBe(content);
  },
);

test('a row has the comment above its key, and a section one only if something is said of it', () => {
  const yaml = '# file\n\n# about a\na:\n  # first\n  # second\n  b: 1\n  c:\n    d: "x"\n';
  expect(valueRows(yaml)).toEqual([
    { path: 'a', value: '', text: 'about a' },
    { path: 'a.b', value: '1', text: 'first second' },
    { path: 'a.c.d', value: '"x"', text: '' },
  ]);
  expect(() => valueRows('a:\n  - b\n')).toThrow('neither a key nor a comment');
});

const imagesOf = (values: string | object) =>
  podTemplates(rendered(values)).flatMap(({ pod }) => allContainers(pod).map(({ image }) => image));

test('images.txt names all that a release with the default values can run', () => {
  const all = {
    temporal: { address: 't:1', codec: { existingSecret: 'codec' } },
    codecServer: { enabled: true, token: { existingSecret: 'token' } },
    workers: { versioning: { enabled: true, makeCurrent: { enabled: true } } },
    prePull: { enabled: true },
    metrics: { serviceMonitor: { enabled: true } },
  };
  const listed = readFileSync(join(chart, 'images.txt'), 'utf8').trim().split('\n');
  expect([...new Set(imagesOf(all))].sort()).toEqual(listed);
});

test('with a mirror, every image comes from it and by its digest', () => {
  const images = imagesOf(ciFiles.find(({ name }) => name === 'mirror')?.file ?? '');
  expect(images.length).toBeGreaterThan(6);
  for (const image of images)
    expect(image).toMatch(/^mirror\.example\.com\/pristine\/[a-z0-9/-]+@sha256:\d{64}$/);
});
