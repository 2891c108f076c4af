import { expect, test } from '@jest/globals';
import { Command } from 'commander';
import { addMakeCurrentCommand } from '../../../cli/make-current-command.ts';
import { ConfigError } from '../../../workers/config.ts';
import { readDeploymentSettings } from '../../../workers/deployment-settings.ts';

async function run(args: string[], before?: string, spreading = false) {
  const out: string[] = [];
  const waits: number[] = [];
  const program = new Command().exitOverride();
  addMakeCurrentCommand(program, {
    out: (line) => out.push(line),
    makeCurrent: async (waitMs) => {
      waits.push(waitMs);
      return { name: 'pristine', buildId: '2', before, spreading };
    },
  });
  for (const command of program.commands) command.exitOverride().configureOutput({ writeErr: () => {} });
  await program.parseAsync(['make-current', ...args], { from: 'user' });
  return { out, waits };
}

test('it says what is current now and what was, and waits five minutes unless told otherwise', async () => {
  expect(await run([])).toEqual({
    out: ['Version 2 of pristine is current; before it none was.'],
    waits: [300_000],
  });
  expect((await run(['--wait', '7'], '1')).out).toEqual(['Version 2 of pristine is current; before it 1.']);
  expect(await run(['--wait', '7'], '2')).toEqual({
    out: ['Version 2 of pristine is current already.'],
    waits: [7_000],
  });
});

test('it says that Temporal has not told every queue, and that is no failure', async () => {
  const { out } = await run([], '1', true);
  expect(out).toEqual([expect.stringMatching(/is current/), expect.stringMatching(/every task queue/)]);
});

test.each(['-1', '1.5', 'soon', '', '1e9'])('it can not wait for %j', async (wait) => {
  await expect(run([`--wait=${wait}`])).rejects.toThrow('whole number of seconds');
});

test('it needs to know where Temporal is and which version is meant, and nothing else', () => {
  const env = {
    TEMPORAL_ADDRESS: 'temporal:7233',
    PRISTINE_DEPLOYMENT_NAME: 'pristine',
    PRISTINE_BUILD_ID: '1.4.0',
  };
  expect(readDeploymentSettings(env)).toMatchObject({
    temporal: { address: 'temporal:7233', namespace: 'default' },
    taskQueue: 'pristine',
    deployment: { name: 'pristine', buildId: '1.4.0' },
  });
  expect(() => readDeploymentSettings({})).toThrow(ConfigError);
  for (const name of Object.keys(env))
    expect(() => readDeploymentSettings({ ...env, [name]: '' })).toThrow(`${name}: must be set`);
  expect(() => readDeploymentSettings({ ...env, PRISTINE_BUILD_ID: 'a/b' })).toThrow('PRISTINE_BUILD_ID');
});
