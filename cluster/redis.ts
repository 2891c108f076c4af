import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { addresses } from './addresses.ts';
import { builtFiles } from './built.ts';
import { run } from './command.ts';
import type { Part } from './part.ts';
import type { Stack } from './stack.ts';
import { writeWholeFile } from './whole-file.ts';

/** Where clients find Redis, with the password. */
export function redisUrl({ ports, secrets }: Pick<Stack, 'ports' | 'secrets'>): string {
  return `redis://default:${secrets.redisPassword}@${addresses.loopback}:${ports.REDIS}`;
}

/** Debian's Redis with the RedisBloom module, every write in its append-only file within a second. */
export function redis(stack: Stack): Part {
  const { layout, ports, versions, secrets } = stack;
  const folder = join(layout.data, 'redis');
  mkdirSync(folder, { recursive: true });
  const config = [
    `bind ${addresses.loopback}`,
    `port ${ports.REDIS}`,
    `requirepass ${secrets.redisPassword}`,
    `dir ${JSON.stringify(folder)}`,
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    'daemonize no',
    `loadmodule ${JSON.stringify(builtFiles(layout, versions).redisbloom)}`,
    '',
  ].join('\n');
  const configFile = join(layout.conf, 'redis.conf');
  writeWholeFile(configFile, config);
  return {
    name: 'redis',
    command: '/usr/bin/redis-server',
    args: [configFile],
    configuration: [config],
    listens: [{ host: addresses.loopback, port: 'REDIS' }],
    healthy: async () => {
      // Asking for an unknown filter fails in the module's words only if the module is there and the data is loaded.
      const asked = await run('redis-cli', [
        '-u',
        redisUrl(stack),
        '--no-auth-warning',
        'BF.INFO',
        'pristine:no-such-filter',
      ]);
      return asked.code === 0 && asked.stdout.toLowerCase().includes('not found');
    },
    readyWithinMs: 60_000,
    stopWithinMs: 30_000,
  };
}
