/** How a program inside the pod ends. */

/** Ends the program: `code` is one of EXIT, the message is one sentence without any link in it. */
export class Stop extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.name = 'Stop';
    this.code = code;
  }
}

/** What is left of a program: its exit code and its termination message ('' for none). */
export type Ending = { code: number; message: string };

/** Writes one event as a JSON line. Only counts and names of ours go in: no link, no text of the engine's. */
export type Log = (event: string, fields?: Record<string, string | number | boolean>) => void;

/**
 * The code of a system error (`ECONNRESET`, `ENOSPC`, …), or null for an error that has none. Never its message:
 * Node puts addresses and sometimes whole links there.
 */
export function errorCode(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  const { code } = error;
  return typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code) ? code : null;
}
