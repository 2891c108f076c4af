import { setTimeout as sleep } from 'node:timers/promises';
import type { Progress } from '../../workflows/contract.ts';

/** What the demo sees of a running scan; each of these rejects when its server does not answer. */
export type RunningScan = {
  progress(): Promise<Progress>;
  /** Pods of this installation that have not ended. */
  pods(): Promise<number>;
  result(): Promise<unknown>;
};
export type Display = {
  update(progress: Progress, pods: number): void;
  /** Nobody has answered for so many seconds. */
  silent(seconds: number): void;
};

/**
 * Shows a scan's progress until it has a result and returns that. Rejects with the scan's own failure, or
 * when nobody has answered for `patienceMs`.
 */
export async function followScan(
  scan: RunningScan,
  display: Display,
  { everyMs, patienceMs }: { everyMs: number; patienceMs: number },
): Promise<unknown> {
  const ended = scan.result().then(
    (value) => ({ ok: true, value }) as const,
    (error: unknown) => ({ ok: false, error }) as const,
  );
  let heardAt = Date.now();
  for (;;) {
    const pause = sleep(everyMs, undefined, { ref: true });
    const answer = await Promise.race([ended, look(scan)]);
    if (answer !== undefined && 'ok' in answer) {
      if (answer.ok) return answer.value;
      throw answer.error;
    }
    if (answer === undefined) {
      const silentMs = Date.now() - heardAt;
      if (silentMs > patienceMs) throw new NobodyAnswers(Math.round(silentMs / 1000));
      display.silent(Math.round(silentMs / 1000));
    } else {
      heardAt = Date.now();
      display.update(answer.progress, answer.pods);
    }
    await Promise.race([ended, pause]);
  }
}

export class NobodyAnswers extends Error {
  override readonly name = 'NobodyAnswers';
  constructor(seconds: number) {
    super(`nobody has answered for ${seconds} seconds`);
  }
}

async function look(scan: RunningScan): Promise<{ progress: Progress; pods: number } | undefined> {
  try {
    const [progress, pods] = await Promise.all([scan.progress(), scan.pods()]);
    return { progress, pods };
  } catch {
    // A scan whose worker restarts can't be asked for a while; how long that may last is the caller's say.
    return undefined;
  }
}
