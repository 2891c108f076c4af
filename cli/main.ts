#!/usr/bin/env node
/** `pristine`: thin verbs over Temporal, the index, the locks and a destination. Reads the workers' environment. */
import { Command } from 'commander';
import { openDestination } from '../drivers/destination/open-destination.ts';
import { profileFingerprint } from '../drivers/profile.ts';
import { closeRedis, connectRedis } from '../drivers/redis/connect.ts';
import { createRedisIndex } from '../drivers/redis/index.ts';
import { createRedisLocks } from '../drivers/redis/locks.ts';
import { createS3Client } from '../drivers/s3/client.ts';
import { foreignEntries } from './foreign-entries.ts';
import { addIndexCommands } from './index-commands.ts';
import { addLockCommands } from './lock-commands.ts';
import { printableText } from './printable.ts';
import { connectScanClient } from './scan-client.ts';
import { addScanCommands } from './scan-commands.ts';
import { readSettings } from './settings.ts';
import { unsignedLinks } from './unsigned-links.ts';
import { addVerifyCommand } from './verify-command.ts';

/** What was opened on the way and must be closed for the process to end. */
const closing: (() => Promise<void> | void)[] = [];
const out = (line: string) => process.stdout.write(`${line}\n`);
const log = { debug() {}, info() {}, warn: complain, error: complain };

const program = new Command('pristine').description(
  'Content disarm and reconstruction for whole folders and buckets. Settings come from the same environment ' +
    "variables as the workers'.",
);
addScanCommands(program, {
  out,
  now: () => new Date(),
  scans: async () => {
    const scans = await connectScanClient(readSettings(process.env));
    closing.push(scans.close);
    return scans;
  },
});
addVerifyCommand(program, {
  out,
  destination,
  foreignEntries,
  fail: () => {
    process.exitCode = 1;
  },
});
addLockCommands(program, {
  out,
  locks: async () => createRedisLocks(redis(), { prefix: readSettings(process.env).redis.keyPrefix }),
});
addIndexCommands(program, {
  out,
  destination,
  index: async () => {
    const config = readSettings(process.env);
    const profiles = Object.values(config.profiles).map(profileFingerprint);
    const options = { prefix: config.redis.keyPrefix, ...config.bloom, profiles, log };
    return { index: createRedisIndex(redis(), options), profiles };
  },
});

try {
  await program.parseAsync();
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`pristine: ${message.split('\n').map(printableText).join('\n')}\n`);
  process.exitCode = 1;
} finally {
  for (const close of closing.reverse()) await close();
}

function destination(url: string) {
  const s3 = createS3Client(readSettings(process.env).s3);
  closing.push(() => s3.destroy());
  // Whoever sits at the command line names a folder themselves: the workers' roots are not theirs.
  return openDestination(url, { roots: ['/'], signer: unsignedLinks, s3 });
}

function redis() {
  const connection = connectRedis({ url: readSettings(process.env).redis.url, log });
  closing.push(() => closeRedis(connection));
  return connection;
}

function complain(_: unknown, message: string): void {
  process.stderr.write(`${message}\n`);
}
