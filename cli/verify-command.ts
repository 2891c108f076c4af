import type { Command } from 'commander';
import type { ReadOnly } from './manifest.ts';
import { printableName } from './printable.ts';
import { verifyDestination } from './verify.ts';

export type VerifySurroundings = {
  out(line: string): void;
  destination(url: string): ReadOnly;
  /** Keys of the tree that are links or the like: see foreign-entries.ts. */
  foreignEntries(url: string): AsyncIterable<Uint8Array>;
  /** Makes the program exit with 1 once it is through. */
  fail(): void;
};

/** `pristine verify <destination>`: reads everything again and says what does not hold. */
export function addVerifyCommand(program: Command, around: VerifySurroundings): void {
  program
    .command('verify <destination>')
    .description('hash tree and content again and compare them with the receipts; exit 1 if anything differs')
    .option(
      '--scan <workflow-id>',
      "also compare the tree with this scan's manifest (the newest of its paths)",
    )
    .action(async (url: string, { scan }: { scan?: string }) => {
      let violations = 0;
      const say = (text: string) => {
        violations += 1;
        around.out(text);
      };
      const { receipts, stored, tree } = await verifyDestination(
        around.destination(url),
        ({ kind, key, problem }) => say(`${kind}: ${printableName(key)} ${problem}`),
        scan,
      );
      for await (const key of around.foreignEntries(url)) {
        say(`tree-foreign: ${printableName(key)} is no plain file`);
      }
      around.out(`${receipts} receipts, ${stored} stored objects and ${tree} files of the tree read again.`);
      // A mistyped place holds nothing, and nothing is always in order.
      if (receipts === 0 && scan === undefined)
        say('nothing-there: there is no receipt, so nothing was verified');
      around.out(violations === 0 ? 'All of it holds.' : `${violations} violations.`);
      if (violations > 0) around.fail();
    });
}
