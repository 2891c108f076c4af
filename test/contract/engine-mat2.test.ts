import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ensureImages } from '../../cluster/build-images.ts';
import { runChecked } from '../../cluster/command.ts';
import { layoutOf } from '../../cluster/layout.ts';
import { describeEngine } from './describe-engine.ts';
import { type EngineImage, type EngineRun, unpackEngine } from './engine-image.ts';

const { cache, state } = layoutOf(join(import.meta.dirname, '../..'), process.env);
const CORPUS = join(import.meta.dirname, '../../../shared/corpus');

async function archive(): Promise<string> {
  const options = { cacheDir: cache, stateDir: state, only: ['engine-mat2'], progress: () => undefined };
  return (await ensureImages(options))['engine-mat2']?.archive ?? '';
}

/** Throws unless it is well-formed XML without characters that XML forbids. */
async function checkXml(report: string): Promise<void> {
  await runChecked(
    'python3',
    ['-c', 'import sys, xml.dom.minidom as m; m.parseString(sys.stdin.buffer.read())'],
    {
      input: report,
    },
  );
}

describeEngine('mat2', { archive, good: Buffer.from('plain text\n') });

describe('mat2', () => {
  let engine: EngineImage;
  let folder: string;
  beforeAll(async () => {
    engine = await unpackEngine(await archive());
    folder = await mkdtemp(join(tmpdir(), 'pristine-documents-'));
    await runChecked('python3', [join(import.meta.dirname, 'make_documents.py'), folder]);
  }, 900_000);
  afterAll(async () => {
    await engine.remove();
    await rm(folder, { recursive: true, force: true });
  });
  const rebuild = async (name: string, options?: { env?: Record<string, string> }): Promise<EngineRun> => {
    const ran = await engine.run(await readFile(join(folder, name)), options);
    expect({ name, exitCode: ran.exitCode, log: ran.log }).toMatchObject({ exitCode: 0 });
    await checkXml(ran.report ?? '');
    return ran;
  };

  test.each([
    ['good.pdf', 'application/pdf', 'Jane Doe'],
    ['good.png', 'image/png', 'Comment'],
    ['good.gif', 'image/gif', 'Comment'],
    ['good.docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'Jane Doe'],
    ['good.xlsx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 'Jane Doe'],
    ['good.pptx', 'application/vnd.openxmlformats-officedocument.presentationml.presentation', 'Jane Doe'],
    ['good.odt', 'application/vnd.oasis.opendocument.text', 'Jane Doe'],
    ['good.epub', 'application/epub+zip', 'Jane'],
    ['good.svg', 'image/svg+xml', 'removed'],
    ['good.zip', 'application/zip', 'secret'],
    ['good.tar.gz', 'application/x-tar+gz', 'jane'],
  ])(
    'rebuilds %s, found to be %s, and says what it removed',
    async (name, type, removed) => {
      const { verdict, reason, rebuilt, report } = await rebuild(name);
      expect({ verdict, reason }).toEqual({ verdict: 'rebuilt', reason: '' });
      expect(report).toContain(`<type>${type}</type>`);
      expect(report).toMatch(/<engine name="mat2" version="0\.13\./);
      expect(report).toContain('same="false"');
      expect(report).toContain(removed);
      expect(rebuilt?.toString('latin1')).not.toMatch(/Jane|JavaScript|alert/);
    },
    120_000,
  );

  test('says that plain text is handed on unchanged, or refuses it where the profile asks for that', async () => {
    const { verdict, report } = await rebuild('good.txt');
    expect(verdict).toBe('rebuilt');
    expect(report).toContain('same="true"');
    const refused = await rebuild('good.txt', { env: { MAT2_PLAIN_TEXT: 'refuse' } });
    expect(refused).toMatchObject({ verdict: 'refused', reason: expect.stringContaining('profile') });
  }, 120_000);

  test('metadata can break neither the report nor a terminal', async () => {
    const { report } = await rebuild('good.png');
    expect(report).toContain('Jane \\u{1b}[2J &lt;&amp;&gt; Doe');
  }, 120_000);

  test.each([
    ['empty', 'The file is empty.'],
    ['bitmap.bmp', 'mat2 does not support this type: image/bmp.'],
    ['picture.webp', 'image/webp'],
    ['program.exe', 'a Windows program'],
    ['letter.rtf', 'application/rtf'],
    ['page.html', 'scripts'],
    ['hidden.html', 'text with HTML in it'],
    ['data.xml', 'XML with the root element data'],
    ['script.sh', 'a script'],
    ['noise.bin', 'unknown binary data'],
    ['control.bin', 'unknown binary data'],
    ['sound.wav', 'no ffmpeg'],
    ['old.doc', 'before 2007'],
    ['locked.docx', 'encrypted with a password'],
    ['locked.pdf', 'encrypted with a password'],
    ['locked.zip', 'encrypted'],
    ['cut.pdf', 'damaged'],
    ['cut.png', 'damaged'],
    ['cut.docx', 'damaged or cut short'],
    ['macro.docx', 'macros'],
    ['odd.docx', 'It contains word/embeddings/evil.bin'],
    ['program.zip', 'It contains a.exe'],
    ['page.zip', 'active content'],
    ['climbing.zip', 'mat2 could not clean this ZIP'],
    ['nested.zip', 'nested too deep'],
    ['bomb.zip', 'too large'],
    ['bomb.tar.gz', 'too large'],
  ])(
    'refuses %s with a reason: %s',
    async (name, reason) => {
      const ran = await rebuild(name);
      expect(ran).toMatchObject({ verdict: 'refused', reason: expect.stringContaining(reason) });
      expect(ran.reason).toMatch(/^[A-Zm].*\.$/);
      expect(ran.report).toContain('<verdict>refused</verdict>');
      expect(ran.reason).not.toContain('/tmp/');
    },
    120_000,
  );

  test('runs out of room as a crash, not as a verdict on the file', async () => {
    const big = Buffer.alloc(300 << 20, 'plain text, too much for the scratch\n');
    const { exitCode, verdict, log } = await engine.run(big);
    expect({ exitCode, verdict }).toEqual({ exitCode: 70, verdict: null });
    expect(log).toContain('The engine failed: OSError');
  }, 120_000);

  (existsSync(CORPUS) ? test : test.skip)(
    'has one verdict on each file of the corpus',
    async () => {
      const verdicts: Record<string, string[]> = { rebuilt: [], refused: [] };
      for (const name of await readdir(CORPUS)) {
        const { exitCode, verdict, reason, report, log } = await engine.run(
          await readFile(join(CORPUS, name)),
        );
        expect({ name, exitCode, verdict, log }).toMatchObject({ exitCode: 0, verdict: expect.any(String) });
        await checkXml(report ?? '');
        verdicts[verdict ?? '']?.push(`${name}${reason && `: ${reason}`}`);
      }
      expect(verdicts.rebuilt?.length).toBeGreaterThan(15);
    },
    600_000,
  );
});
