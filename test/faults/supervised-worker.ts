/** A worker process that is started again whenever it has died, as an orchestrator would. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkerProcess } from '../integration/worker-process.ts';

export type Supervised = {
  process: WorkerProcess;
  /** How often it has died so far. */
  deaths(): number;
  /** SIGTERM; resolves when it has ended. */
  stop(): Promise<void>;
};

/** `lives`: what changes in its settings for its next lives, one after the other; then TEST_CRASH_AT is empty. */
export function supervise(process: WorkerProcess, lives: readonly Record<string, string>[]): Supervised {
  let deaths = 0;
  let stopping = false;
  const watching = (async () => {
    for (;;) {
      const signal = await process.ended();
      if (stopping) return;
      deaths += 1;
      // By itself it ends when what it needs at its start is away.
      await sleep(signal === null ? 2_000 : 300);
      if (stopping) return;
      // It may die again before it is ready; then it has ended, and the loop goes on.
      await process.restart(lives[deaths - 1] ?? { TEST_CRASH_AT: '' }).catch(() => undefined);
    }
  })();
  return {
    process,
    deaths: () => deaths,
    async stop() {
      stopping = true;
      process.signal('SIGCONT');
      await process.stop();
      await watching;
    },
  };
}
