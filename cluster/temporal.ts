import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { addresses } from './addresses.ts';
import { builtFiles } from './built.ts';
import { run } from './command.ts';
import type { Part } from './part.ts';
import type { Stack } from './stack.ts';

/** What a scan's and a file's workflow can be searched by in the Web UI. */
export const searchAttributes = [
  'PristineScan',
  'PristineSha256',
  'PristineOutcome',
  'PristineProfile',
] as const;

/** The official development server with its state in one file: survives a restart. */
export function temporal({ layout, ports, versions }: Stack): Part {
  const program = builtFiles(layout, versions).temporal;
  const folder = join(layout.data, 'temporal');
  mkdirSync(folder, { recursive: true });
  const address = `${addresses.loopback}:${ports.TEMPORAL}`;
  return {
    name: 'temporal',
    command: program,
    args: [
      ...['server', 'start-dev', '--ip', addresses.loopback, '--port', String(ports.TEMPORAL)],
      ...['--ui-ip', addresses.loopback, '--ui-port', String(ports.TEMPORAL_UI)],
      ...['--http-port', String(ports.TEMPORAL_HTTP), '--metrics-port', String(ports.TEMPORAL_METRICS)],
      ...['--db-filename', join(folder, 'temporal.db'), '--log-level', 'warn'],
      // These two together: a third less CPU a file. The first: what was answered survives a killed process,
      // though not a power cut. The second: the names are not read anew with every change of a workflow.
      ...['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=1'],
      ...['--dynamic-config-value', 'system.forceSearchAttributesCacheRefreshOnRead=false'],
      ...searchAttributes.flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
    ],
    // The server asks its makers for news otherwise.
    env: { TEMPORAL_VERSION_CHECK_DISABLED: '1' },
    listens: [
      { host: addresses.loopback, port: 'TEMPORAL' },
      { host: addresses.loopback, port: 'TEMPORAL_UI' },
      { host: addresses.loopback, port: 'TEMPORAL_HTTP' },
      { host: addresses.loopback, port: 'TEMPORAL_METRICS' },
    ],
    healthy: async () => {
      const { code, stdout } = await run(program, ['operator', 'cluster', 'health', '--address', address]);
      return code === 0 && stdout.includes('SERVING');
    },
    readyWithinMs: 60_000,
    stopWithinMs: 20_000,
  };
}
