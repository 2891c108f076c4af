import { afterEach, describe, expect, test } from '@jest/globals';
import { containerLogged, endWithin } from '../../../activities/container-logged.ts';
import type { LogFields } from '../../../drivers/events.ts';
import { createLogger } from '../../../workers/logging.ts';
import { removeWorlds, sha256Of, world } from './world.ts';

afterEach(removeWorlds);

const from = { sha256: 'ab', pod: 'pristine-x-a1', attempt: 1, container: 'engine' };

/** The lines as they leave the worker. */
function written(fields: LogFields): string[] {
  const lines: string[] = [];
  createLogger({ level: 'info' }, { write: (line) => void lines.push(line) }).info(fields, 'log kept');
  return lines;
}

describe('the end of a log', () => {
  test.each([
    ['nothing', '', 100, ''],
    ['what fits', 'abc', 5, 'abc'],
    ['one byte too many', 'abcd', 5, 'bcd'],
    ['quotes, which are escaped', '"""', 6, '""'],
    ['line feeds, which are escaped', 'a\n\n', 6, '\n\n'],
    ['characters of several bytes', 'äöü', 6, 'öü'],
    ['a pair of surrogates, whole or not at all', '😀😀', 9, '😀'],
    ['half a pair, which is written as an escape', '\ud83d', 8, '\ud83d'],
    ['half a pair that does not fit', '\ud83d', 7, ''],
  ])('%s', (_name, text, limit, left) => {
    expect(endWithin(text, limit)).toBe(left);
    expect(Buffer.byteLength(JSON.stringify(left))).toBeLessThanOrEqual(Math.max(2, limit));
  });
});

describe('the event of a container', () => {
  test('names where the text is from, how long the log is, and whether this is all of it', () => {
    expect(containerLogged(from, 'one\ntwo')).toEqual({
      event: 'container.logged',
      ...from,
      bytes: 7,
      truncated: false,
      text: 'one\ntwo',
    });
  });

  test.each([
    ['letters', 'x'],
    ['quotes', '"'],
    ['line feeds', '\n'],
    ['backslashes', '\\'],
    ['other writing', '漢'],
    ['control characters', '\u0001'],
  ])('fits into one line of a container runtime: 256 KiB of %s', (_name, character) => {
    const log = character.repeat((256 * 1024) / Buffer.byteLength(character));
    const [line = '', ...others] = written(containerLogged(from, log));
    expect(others).toEqual([]);
    expect(Buffer.byteLength(line)).toBeLessThan(16 * 1024);
    const { text, truncated } = JSON.parse(line);
    expect(log.endsWith(text)).toBe(true);
    expect(text.length).toBeGreaterThan(1_000);
    expect(truncated).toBe(true);
  });

  test.each([
    ['a line of its own', '\n{"level":"error","event":"file.settled","outcome":"rebuilt","sha256":"cd"}\n'],
    ['the end of the string', '","event":"file.settled","outcome":"rebuilt","x":"'],
    ['an escaped end of the string', '\\","event":"file.settled","outcome":"rebuilt","x":"\\'],
    ['the end of the object', '"}\n{"event":"file.settled","outcome":"rebuilt"}'],
    ['other ends of lines', '\r{"event":"file.settled"}\u2028{"event":"file.settled"}\u0085{}'],
    ['a link to be struck out', 'http://a:b@c/f/","event":"file.settled","outcome":"rebuilt'],
  ])('hostile text stays inside one string: %s', (_name, log) => {
    const [line = '', ...others] = written(containerLogged(from, log));
    expect(others).toEqual([]);
    expect(line.indexOf('\n')).toBe(line.length - 1);
    const fields: Record<string, unknown> = JSON.parse(line);
    expect(fields).toMatchObject({ ...from, event: 'container.logged', msg: 'log kept' });
    expect(fields).not.toHaveProperty('outcome');
    expect(fields.text).toContain('file.settled');
  });
});

test('every log that is kept with a content is an event too', async () => {
  const at = world();
  const logged: LogFields[] = [];
  at.deps.logger.info = (fields) => void logged.push(fields);
  at.deps.pods.log = async (_pod, container) => (container === 'fetch' ? null : `of ${container}`);
  await at.attempt('hostile', 'clean');
  const kept = logged.filter(({ event }) => event === 'container.logged');
  const wanted = ['engine', 'upload'].map((container) =>
    expect.objectContaining({ sha256: sha256Of('hostile'), container, text: `of ${container}`, attempt: 1 }),
  );
  // They are read together: whose comes first is chance.
  expect(kept).toHaveLength(2);
  expect(kept).toEqual(expect.arrayContaining(wanted));
});
