import { describe, expect, test } from '@jest/globals';
import { monitoredCommand, scriptNames } from '../../../bench/redis-commands.ts';

const sha1 = 'a'.repeat(40);
const scripts = new Map([[sha1, 'claim']]);
const line = (from: string, command: string) => `1700000000.123456 [0 ${from}] ${command}`;

describe('lines of MONITOR', () => {
  test.each([
    ['a script goes by its name', line('127.0.0.1:50000', `"EVALSHA" "${sha1}" "4" "k"`), 'claim'],
    ['a script that nobody knows', line('127.0.0.1:50000', `"evalsha" "${'b'.repeat(40)}" "0"`), 'evalsha'],
    ['a plain command', line('127.0.0.1:50000', '"UNLINK" "k"'), 'unlink'],
    ['over IPv6', line('[::1]:50000', '"hset" "k"'), 'hset'],
    ['what a script does inside is no round trip', line('lua', '"HGET" "k" "f"'), null],
    ['a connection that is being made', line('127.0.0.1:50000', '"CLIENT" "SETNAME" "pristine"'), null],
    ['the answer to MONITOR', '+OK', null],
  ])('%s', (_, text, expected) => {
    expect(monitoredCommand(text, scripts)).toBe(expected);
  });

  test('the scripts are known by the sha1 of their text', () => {
    const names = scriptNames(new URL('../../../drivers/redis/scripts', import.meta.url).pathname);
    expect(new Set(names.values())).toEqual(new Set([...names.values(), 'claim', 'add', 'lookup']));
    expect([...names.keys()].every((key) => /^[0-9a-f]{40}$/.test(key))).toBe(true);
  });
});
