/** Settings for tests: tries without waiting, and a log that is kept. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Patience } from '../../../pod/attempts.ts';
import { type Log, Stop } from '../../../pod/stop.ts';

export const IMPATIENT: Patience = { tries: 4, pause: async () => undefined };

export function keptLog(): { log: Log; events: string[] } {
  const events: string[] = [];
  return { log: (event, fields) => events.push(JSON.stringify({ event, ...fields })), events };
}

export async function folder(): Promise<{ path: string; [Symbol.asyncDispose]: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'pristine-pod-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** The exit code and message with which a program stopped; an error that is no Stop fails the test. */
export async function stopped(run: Promise<unknown>): Promise<{ code: number; message: string }> {
  try {
    await run;
  } catch (error) {
    if (error instanceof Stop) return { code: error.code, message: error.message };
    throw error;
  }
  return { code: 0, message: '' };
}
