/** What is undone when the bench is ended from outside: by Ctrl-C or SIGTERM. */
export type Interrupts = {
  /** Has `what` undone then, the newest first, unless the function that it returns is called before. */
  undo(what: () => Promise<unknown>): () => void;
  /** Whether the bench is being ended: what fails meanwhile says nothing. */
  happened(): boolean;
};

/** A second signal does not wait. */
export function watchInterrupts(): Interrupts {
  const pending: (() => Promise<unknown>)[] = [];
  let happened = false;
  const end = async (signal: string, code: number) => {
    if (happened) process.exit(code);
    happened = true;
    if (pending.length > 0) console.error(`pristine: ${signal}: removing what was made…`);
    for (const what of pending.toReversed()) {
      await what().catch((error: Error) => console.error(`pristine: ${error.message}`));
    }
    process.exit(code);
  };
  process.on('SIGINT', () => end('interrupted', 130));
  process.on('SIGTERM', () => end('told to end', 143));
  return {
    undo: (what) => {
      pending.push(what);
      return () => {
        const at = pending.indexOf(what);
        if (at >= 0) pending.splice(at, 1);
      };
    },
    happened: () => happened,
  };
}
