import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const folder = join(import.meta.dirname, '../../faults');
const read = (file: string) => readFileSync(join(folder, file), 'utf8');

/** `F9 index` for each fault that a test's name begins with, and the file that it is in. */
function tested(): string[] {
  const pairs = readdirSync(folder)
    .filter((file) => file.endsWith('.test.ts'))
    .flatMap((file) =>
      [...read(file).matchAll(/['"`](F\d+)\b/g)].map(
        ([, fault]) => `${fault} ${file.replace('.test.ts', '')}`,
      ),
    );
  return [...new Set(pairs)].sort();
}

test('the README lists each fault that is tested, and the files that its tests are in', () => {
  const rows = [...read('README.md').matchAll(/^\| (F\d+) \| .+ \| (.+) \|$/gm)];
  const listed = rows.flatMap(([, fault, files = '']) =>
    files.split(', ').map((file) => `${fault} ${file.slice(1, -1)}`),
  );
  expect(listed.sort()).toEqual(tested());
  expect(rows.length).toBeGreaterThan(35);
});
