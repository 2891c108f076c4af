import type { Command } from 'commander';
import type { Locks } from '../drivers/ports.ts';
import { hexDigits } from './hex-digits.ts';

export type LockSurroundings = { out(line: string): void; locks(): Promise<Pick<Locks, 'list' | 'break'>> };

/** `pristine locks …`: who works on which content, and the way out when nobody does any more. */
export function addLockCommands(program: Command, around: LockSurroundings): void {
  const locks = program.command('locks').description('locks on contents in work');

  locks
    .command('list')
    .description('all locks: content, profile, owner, seconds until it ends by itself')
    .action(async () => {
      let count = 0;
      for await (const { key, owner, ttlMs } of (await around.locks()).list()) {
        count += 1;
        around.out(`${key.sha256}  ${key.profile}  ${owner}  ${Math.ceil(ttlMs / 1000)} s`);
      }
      if (count === 0) around.out('There is no lock.');
    });

  locks
    .command('break')
    .description("free a content, whoever's lock it is; its receipt still lets only one result count")
    .argument('<sha256>', 'the content', hexDigits(64))
    .argument('<profile>', "the profile's fingerprint", hexDigits(8))
    .action(async (sha256: string, profile: string) => {
      const broken = await (await around.locks()).break({ sha256, profile });
      around.out(broken ? 'The lock is gone.' : 'There was no such lock.');
    });
}
