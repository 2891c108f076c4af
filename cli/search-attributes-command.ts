import type { Command } from 'commander';

export type SearchAttributeSurroundings = {
  out(line: string): void;
  /** Adds those that the namespace lacks; rejects where it may not. */
  setUp(): Promise<{ namespace: string; names: readonly string[] }>;
};

/** `pristine search-attributes`: what workers do at their start, by somebody who may. Needs TEMPORAL_* only. */
export function addSearchAttributesCommand(program: Command, around: SearchAttributeSurroundings): void {
  program
    .command('search-attributes')
    .description('add to the namespace what scans and files can be searched by, where it is missing')
    .action(async () => {
      const { namespace, names } = await around.setUp();
      around.out(`Namespace ${namespace} has ${names.join(', ')}.`);
    });
}
