import { expect, test } from '@jest/globals';
import { Command } from 'commander';
import { type Finding, fail, ok, warn } from '../../../cli/doctor/finding.ts';
import { addDoctorCommand, type DoctorOrder } from '../../../cli/doctor-command.ts';

async function doctor(findings: Finding[], ...words: string[]) {
  const out: string[] = [];
  const orders: DoctorOrder[] = [];
  let failed = false;
  const program = new Command().exitOverride();
  addDoctorCommand(program, {
    out: (line) => out.push(line),
    fail: () => {
      failed = true;
    },
    async *examine(order) {
      orders.push(order);
      yield* findings;
    },
  });
  for (const one of program.commands) one.exitOverride().configureOutput({ writeErr: () => {} });
  await program.parseAsync(['doctor', ...words], { from: 'user' });
  return { out, failed, order: orders[0] };
}

test('a line each, what others wrote escaped, and a sum', async () => {
  const { out } = await doctor([ok('a', 'fine'), warn('b', 'not\u001b[2J so'), fail('c', 'mend it')]);
  expect(out).toEqual([
    'ok    a: fine',
    expect.stringMatching(/^WARN {2}b: not\S*\[2J so$/),
    'FAIL  c: mend it',
    '1 ok, 1 to look at (WARN), 1 to mend (FAIL).',
  ]);
  expect(out.join()).not.toContain('\u001b');
});

test.each([
  ['all well', [ok('a', '')], [], false],
  ['a warning', [ok('a', ''), warn('b', '')], [], false],
  ['a warning, and strict', [ok('a', ''), warn('b', '')], ['--strict'], true],
  ['all well, and strict', [ok('a', '')], ['--strict'], false],
  ['a failure', [fail('a', ''), ok('b', '')], [], true],
])('%s: fails or not', async (_, findings, words, expected) => {
  expect((await doctor(findings, ...words)).failed).toBe(expected);
});

test.each([
  ['198.18.0.1', { host: '198.18.0.1', port: 0 }],
  ['198.18.0.1:8481', { host: '198.18.0.1', port: 8481 }],
  ['fd00::1', { host: 'fd00::1', port: 0 }],
  ['[fd00::1]:8481', { host: 'fd00::1', port: 8481 }],
])('--listen %s', async (text, listen) => {
  expect((await doctor([], '--listen', text)).order).toEqual({ destinations: [], listen, startSeconds: 60 });
});

test.each([
  ['--listen', '198.18.0.1:99999'],
  ['--listen', ''],
  ['--wait', '0'],
  ['--wait', 'soon'],
])('%s %j is refused', async (...words) => {
  await expect(doctor([], ...words)).rejects.toThrow('It must be');
});
