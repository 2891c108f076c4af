import type { Command } from 'commander';
import type { Destination, ProcessedIndex } from '../drivers/ports.ts';
import { holdsContents } from './holds-contents.ts';
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
      const destinations = urls.map((url) => around.destination(url));
      for (const destination of destinations) await expectContents(destination);
      const { index, profiles } = await around.index();
      for (const profile of profiles) {
        const others = profiles.filter((other) => other !== profile);
        const count = await index.rebuild(profile, recordsOf(destinations, profile, others));
        around.out(`Profile ${profile}: ${count} contents.`);
      }
    });
}

/** An index made from nothing takes every content for new. */
async function expectContents(destination: Destination): Promise<void> {
  if (await holdsContents(destination)) return;
  throw new Error(
    `There is no content in ${destination.url}: is this the place? The index was left as it is. Where the workers ` +
      'are to begin with an empty one, give them another PRISTINE_KEY_PREFIX.',
  );
}
