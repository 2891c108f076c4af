import type { Command } from 'commander';
import type { Destination, ProcessedIndex } from '../drivers/ports.ts';
import { recordsOf } from './records.ts';

export type IndexSurroundings = {
  out(line: string): void;
  /** The index, and the fingerprints of the profiles that this installation knows. */
  index(): Promise<{ index: Pick<ProcessedIndex, 'check' | 'rebuild'>; profiles: readonly string[] }>;
  destination(url: string): Destination;
};

/** `pristine index …`: is the memory of finished work sound, and make it anew from the receipts. */
export function addIndexCommands(program: Command, around: IndexSurroundings): void {
  const commands = program.command('index').description('the memory of finished contents');

  commands
    .command('check')
    .description('is the server there, are Bloom filter and records of the right kind and whole')
    .action(async () => {
      const { index, profiles } = await around.index();
      await index.check();
      around.out(`The index is sound (profiles ${profiles.join(', ')}).`);
    });

  commands
    .command('rebuild <destination...>')
    .description('make filter and records anew from the receipts in these destinations, which must be all')
    .action(async (urls: string[]) => {
      const { index, profiles } = await around.index();
      for (const profile of profiles) {
        const destinations = urls.map((url) => around.destination(url));
        const count = await index.rebuild(profile, recordsOf(destinations, profile));
        around.out(`Profile ${profile}: ${count} contents.`);
      }
    });
}
