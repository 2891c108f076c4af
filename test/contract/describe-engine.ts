/** What every engine promises, whatever the file. Run on each image of ours; bring your own (docs/engine-contract.md). */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type EngineImage, unpackEngine } from './engine-image.ts';

const JUNK: [string, Uint8Array][] = [
  ['an empty file', Buffer.alloc(0)],
  ['one byte', Buffer.from('x')],
  ['zeros', Buffer.alloc(100_000)],
  [
    'noise',
    Buffer.from(
      Array.from({ length: 50_000 }, (_value, index) => (index * 7919 + (index >> 3) * 104729) & 255),
    ),
  ],
  ['a PDF of its first line only', Buffer.from('%PDF-1.7\n')],
  ['a ZIP of its first bytes only', Buffer.from('PK\u0003\u0004\u0014\u0000')],
  ['a PNG of its first bytes only', Buffer.from('\u0089PNG\r\n\u001a\n', 'latin1')],
  [
    'an XML bomb',
    Buffer.from(
      `<?xml version="1.0"?><!DOCTYPE svg [${bomb()}]><svg xmlns="http://www.w3.org/2000/svg">&i;</svg>`,
    ),
  ],
];

function bomb(): string {
  const entities = ['<!ENTITY a "ha">'];
  for (const name of 'bcdefghi') {
    const before = String.fromCharCode(name.charCodeAt(0) - 1);
    entities.push(`<!ENTITY ${name} "${`&${before};`.repeat(10)}">`);
  }
  return entities.join('');
}

/** `good` is a file that the engine rebuilds; `mayCrash` is for an engine that ends so on junk. */
export function describeEngine(
  name: string,
  engine: { archive: () => Promise<string>; good: Uint8Array; args?: string[]; mayCrash?: boolean },
): void {
  describe(`the engine contract: ${name}`, () => {
    let image: EngineImage;
    const run = (input: Uint8Array) => image.run(input, engine.args ? { args: engine.args } : {});
    beforeAll(async () => {
      image = await unpackEngine(await engine.archive());
    }, 900_000);
    afterAll(() => image.remove());

    test('rebuilds a good file as another user, without network, on a read-only root', async () => {
      const { exitCode, verdict, rebuilt, log } = await run(engine.good);
      expect({ exitCode, verdict, log }).toMatchObject({ exitCode: 0, verdict: 'rebuilt' });
      expect(rebuilt?.length).toBeGreaterThan(0);
    }, 120_000);

    test('gives the same verdict again', async () => {
      const [first, second] = [await run(engine.good), await run(engine.good)];
      expect(second.verdict).toBe(first.verdict);
    }, 120_000);

    test.each(JUNK)(
      'says one thing about %s',
      async (_what, input) => {
        const { exitCode, verdict, reason, report } = await run(input);
        if (exitCode !== 0) return;
        expect({ verdict, reason }).toMatchObject({ verdict: expect.stringMatching(/^(rebuilt|refused)$/) });
        if (verdict === 'refused') expect(reason).not.toBe('The engine gave no reason.');
        if (report?.startsWith('{')) JSON.parse(report);
      },
      120_000,
    );
  });
}
