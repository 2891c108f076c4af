/** Trying again inside the pod: cheaper than a new pod, and enough for a hiccup. */
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT } from './protocol.ts';
import { errorCode, type Log, Stop } from './stop.ts';

export type Patience = {
  /** How often in all, at least 1. */
  tries: number;
  /** Waits before try `next` (2, 3, …). */
  pause: (next: number) => Promise<void>;
};

/**
 * Five tries, 0.25, 1, 4 and 8 seconds apart, each up to twice that so that pods do not come back at once: longer than
 * a worker with its file server takes to come back.
 */
export const PATIENCE: Patience = {
  tries: 5,
  pause: (next) => sleep(Math.min(250 * 4 ** (next - 2), 8_000) * (1 + Math.random())),
};

/** Something that may well work on the next try. The message is a sentence's part without any link in it. */
export class Hiccup extends Error {}

/**
 * Runs `once` until it returns. A Hiccup or a system error is tried again, and the last one becomes
 * Stop(EXIT.transfer). Anything else passes through: a Stop, or a mistake of ours.
 */
export async function attempt<T>(
  what: string,
  patience: Patience,
  log: Log,
  once: () => Promise<T>,
): Promise<T> {
  for (let turn = 1; ; turn++) {
    try {
      return await once();
    } catch (error) {
      const reason = error instanceof Hiccup ? error.message : errorCode(error);
      if (reason === null) throw error;
      log('transfer.failed', { what, turn, reason });
      if (turn >= patience.tries)
        throw new Stop(EXIT.transfer, `The ${what} failed ${turn} times, at last with: ${reason}.`);
      await patience.pause(turn + 1);
    }
  }
}

/** 5xx, and the answers that ask for patience (408, 409 of a conditional S3 write in progress, 425, 429). */
export function worthRetrying(status: number): boolean {
  return status >= 500 || status === 408 || status === 409 || status === 425 || status === 429;
}
