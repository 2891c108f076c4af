import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { EVENT } from '../../../drivers/events.ts';

const FOLDERS = '{activities,cli,drivers,fileserver,workers}';
const root = new URL('../../../', import.meta.url).pathname;

test('every event is logged somewhere', async () => {
  const files = await Array.fromAsync(glob(`${FOLDERS}/**/*.ts`, { cwd: root }));
  const sources = files.map((file) => readFileSync(`${root}${file}`, 'utf8')).join('\n');
  const logged = new Set([...sources.matchAll(/\bEVENT\.(\w+)/g)].map(([, name]) => name));
  expect(Object.keys(EVENT).filter((name) => !logged.has(name))).toEqual([]);
});
