import { execFileSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import { formatEnvFile, parseEnvFile, quoteForShell } from '../../../cli/env-file.ts';

const awkward = {
  PLAIN: 'redis://default:abc@127.0.0.1:16379',
  EMPTY: '',
  SPACES: 'two words ',
  QUOTES: `it's "quoted"`,
  SHELL: '$HOME `id` $(id) \\ ; & | * ~',
  LINES: 'one\ntwo\n',
  TEXT: 'naïve – ü',
};

describe('the env file', () => {
  test('is read by a shell as it was meant', () => {
    const script = `${formatEnvFile(awkward, '/a b/bin')}\nnode -e 'process.stdout.write(JSON.stringify(process.env))'`;
    const seen = JSON.parse(execFileSync('sh', ['-c', script], { encoding: 'utf8' }));
    expect(seen).toMatchObject(awkward);
    expect(seen.PATH.startsWith('/a b/bin:')).toBe(true);
  });

  test('puts its folder on the PATH once, however often it is sourced', () => {
    const script = `PATH=/usr/bin:/bin\n${formatEnvFile({}, '/x/bin').repeat(3)}\nprintf %s "$PATH"`;
    expect(execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' })).toBe('/x/bin:/usr/bin:/bin');
  });

  test('is read by us as it was meant, without PATH', () => {
    expect(parseEnvFile(formatEnvFile(awkward, '/x/bin'))).toEqual(awkward);
  });

  test('is read when written by hand', () => {
    const text = '# a comment\nONE=1\nexport TWO="two words"\n\nnot an assignment\nPATH=/evil\n';
    expect(parseEnvFile(text)).toEqual({ ONE: '1', TWO: 'two words' });
  });

  test('leaves plain words unquoted', () => {
    expect(quoteForShell('http://127.0.0.1:8233')).toBe('http://127.0.0.1:8233');
  });
});
