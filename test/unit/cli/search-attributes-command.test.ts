import { expect, test } from '@jest/globals';
import { Command } from 'commander';
import { addSearchAttributesCommand } from '../../../cli/search-attributes-command.ts';
import { ConfigError } from '../../../workers/config.ts';
import { readTemporalSettings } from '../../../workers/temporal-config.ts';

test('it says what the namespace has, and fails with what it failed for', async () => {
  const out: string[] = [];
  const run = (setUp: () => Promise<{ namespace: string; names: string[] }>) => {
    const program = new Command().exitOverride();
    addSearchAttributesCommand(program, { out: (line) => out.push(line), setUp });
    return program.parseAsync(['search-attributes'], { from: 'user' });
  };
  await run(async () => ({ namespace: 'scans', names: ['PristineScan', 'PristineOutcome'] }));
  expect(out).toEqual(['Namespace scans has PristineScan, PristineOutcome.']);
  await expect(run(() => Promise.reject(new Error('not allowed')))).rejects.toThrow('not allowed');
});

test('reaching Temporal needs its own variables and no other', () => {
  const env = { TEMPORAL_ADDRESS: 'temporal:7233', TEMPORAL_TLS_CA_FILE: '/ca.crt', TEMPORAL_API_KEY: '' };
  expect(readTemporalSettings(env)).toEqual({
    address: 'temporal:7233',
    namespace: 'default',
    apiKey: undefined,
    tls: { caFile: '/ca.crt', certFile: undefined, keyFile: undefined },
  });
  expect(() => readTemporalSettings({ REDIS_URL: 'redis://x' })).toThrow(ConfigError);
  expect(() => readTemporalSettings({})).toThrow('TEMPORAL_ADDRESS: must be set');
});
