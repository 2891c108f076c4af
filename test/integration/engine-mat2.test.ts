import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runChecked } from '../../cluster/command.ts';
import { openStore, type PodImages, podImages, runPod, type Store } from './pod-run.ts';

let store: Store;
let images: PodImages;
let folder: string;
beforeAll(async () => {
  images = await podImages();
  store = await openStore();
  folder = await mkdtemp(join(tmpdir(), 'pristine-documents-'));
  await runChecked('python3', [join(import.meta.dirname, '../contract/make_documents.py'), folder]);
}, 600_000);
afterAll(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

const rebuild = async (name: string, env: Record<string, string> = {}) =>
  runPod(store, images, {
    content: await readFile(join(folder, name)),
    profile: { image: images.mat2, scratch: '256Mi', env },
  });

describe('mat2 in a real pod', () => {
  test.concurrent.each(['good.pdf', 'good.docx', 'good.png', 'good.svg', 'good.gif', 'good.zip', 'good.txt'])(
    'rebuilds %s',
    async (name) => {
      const { outcome, uploaded, logs } = await rebuild(name);
      expect({ outcome, logs }).toMatchObject({
        outcome: { kind: 'uploaded', report: { verdict: 'rebuilt' } },
      });
      expect(Object.keys(uploaded).sort()).toEqual(['rebuilt', 'report.xml']);
      expect(uploaded['report.xml']?.toString()).toContain('<verdict>rebuilt</verdict>');
    },
    240_000,
  );

  test.concurrent.each([
    ['empty', 'The file is empty.'],
    ['cut.pdf', 'damaged'],
    ['odd.docx', 'It contains word/embeddings/evil.bin'],
    ['bomb.zip', 'too large'],
    ['noise.bin', 'unknown binary data'],
  ])(
    'refuses %s, keeping the report: %s',
    async (name, reason) => {
      const { outcome, uploaded } = await rebuild(name);
      expect(outcome).toMatchObject({
        kind: 'uploaded',
        report: { verdict: 'refused', reason: expect.stringContaining(reason) },
      });
      expect(Object.keys(uploaded)).toEqual(['report.xml']);
    },
    240_000,
  );
});
