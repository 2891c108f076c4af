import { type Command, InvalidArgumentError } from 'commander';
import type { MadeCurrent } from './make-current.ts';

export type MakeCurrentSurroundings = {
  out(line: string): void;
  /** Resolves when the version is current, with the one that was before; rejects when `waitMs` are over. */
  makeCurrent(waitMs: number): Promise<MadeCurrent>;
};

/** `pristine make-current`: `temporal worker deployment set-current-version`, once the version's workers poll. */
export function addMakeCurrentCommand(program: Command, around: MakeCurrentSurroundings): void {
  program
    .command('make-current')
    .description(
      'new files begin on this version of the workers (PRISTINE_DEPLOYMENT_NAME, PRISTINE_BUILD_ID)',
    )
    .option('--wait <seconds>', 'for workers of every role to poll', seconds, 300)
    .action(async ({ wait }: { wait: number }) => {
      const { name, buildId, before, spreading } = await around.makeCurrent(wait * 1_000);
      const what = `Version ${buildId} of ${name} is current`;
      around.out(before === buildId ? `${what} already.` : `${what}; before it ${before ?? 'none was'}.`);
      if (spreading)
        around.out(
          'Temporal has not said that every task queue knows: some new files may begin on the old one.',
        );
    });
}

function seconds(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number of seconds.');
}
