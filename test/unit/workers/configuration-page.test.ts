import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { codecServerSchema } from '../../../workers/codec-server-config.ts';
import { environmentSchema } from '../../../workers/config.ts';

const docs = join(import.meta.dirname, '../../../docs');

/** The rows of the tables of variables: each name with what its cell says of the default. */
function rowsOf(page: string): [name: string, cell: string][] {
  const rows = readFileSync(join(docs, page), 'utf8').matchAll(
    /^\| ((?:`[A-Z][A-Z0-9_]+`(?:, )?)+) \| .+ \|(.*)\|$/gm,
  );
  return [...rows].flatMap(([, names = '', cell = '']) =>
    names.split(', ').map((name): [string, string] => [name.slice(1, -1), cell.trim()]),
  );
}

const address = z.strictObject({ host: z.string(), port: z.number() });

/** As it would stand in the environment. */
function shown(value: unknown): string {
  const { data } = address.safeParse(value);
  return data ? `${data.host}:${data.port}` : String(value);
}

/** What the cell of a variable must say; without a default, all but a default. */
function expectedCell(schema: z.ZodType): string | RegExp {
  const { success, data } = schema.safeParse(undefined);
  if (!success) return 'must be set';
  const value = data === undefined ? '' : shown(data);
  return value === '' ? /^(none\b.*|must be set\b.+)?$/ : `\`${value}\``;
}

test.each([
  ['configuration.md', environmentSchema],
  ['encryption.md', codecServerSchema],
])('docs/%s has each variable once, with its default', (page, { shape }) => {
  const rows = rowsOf(page);
  expect(rows.map(([name]) => name).sort()).toEqual(Object.keys(shape).sort());
  const cells = new Map(rows);
  for (const [name, schema] of Object.entries(shape)) {
    const cell = expectedCell(schema);
    const expected = cell instanceof RegExp ? expect.stringMatching(cell) : cell;
    expect([name, cells.get(name)]).toEqual([name, expected]);
  }
});
