import { expect, test } from '@jest/globals';
import { Command } from 'commander';
import { addIndexCommands } from '../../../cli/index-commands.ts';
import { memoryDestination } from './memory-destination.ts';

const folder = `content/aa/${'a'.repeat(64)}/0a0b0c0d`;

function pristine(places: Record<string, [string, Buffer][]>) {
  const out: string[] = [];
  const rebuilt: [string, string[]][] = [];
  const program = new Command().exitOverride();
  addIndexCommands(program, {
    out: (line) => out.push(line),
    destination: (url) => ({ ...memoryDestination(new Map(places[url])), url }),
    index: async () => ({
      index: {
        check: async () => {},
        rebuild: async (profile, records) => {
          const all = await Array.fromAsync(records);
          rebuilt.push([profile, all.map(({ sha256, record }) => `${sha256.slice(0, 2)} ${record.verdict}`)]);
          return all.length;
        },
      },
      profiles: ['0a0b0c0d', 'ffffffff'],
    }),
  });
  return { out, rebuilt, run: (...words: string[]) => program.parseAsync(words, { from: 'user' }) };
}
const note: [string, Buffer] = [
  `${folder}/quarantined.json`,
  Buffer.from(JSON.stringify({ reason: 'it hangs', attempts: 4 })),
];

test('each profile is made anew from what is its own', async () => {
  const { run, out, rebuilt } = pristine({ 's3://out/': [note] });
  await run('index', 'rebuild', 's3://out/');
  expect(rebuilt).toEqual([
    ['0a0b0c0d', ['aa quarantined']],
    ['ffffffff', []],
  ]);
  expect(out).toEqual(['Profile 0a0b0c0d: 1 contents.', 'Profile ffffffff: 0 contents.']);
});

test('a place without any content is refused, before the index is touched: it would take all for new', async () => {
  const { run, rebuilt } = pristine({ 's3://out/': [note], 's3://typo/': [['tree/a', Buffer.from('x')]] });
  await expect(run('index', 'rebuild', 's3://out/', 's3://typo/')).rejects.toThrow(
    'There is no content in s3://typo/: is this the place? The index was left as it is',
  );
  expect(rebuilt).toEqual([]);
});
