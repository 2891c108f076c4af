import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process that can't be mistaken for a later one with the same number: pid, start (clock ticks after boot), boot. */
export type ProcessIdentity = { readonly pid: number; readonly startTime: string; readonly bootId: string };

/**
 * State letter and start time out of the text of /proc/<pid>/stat (proc(5), fields 3 and 22). The second field, the
 * command's name in brackets, may itself hold spaces and brackets: counting starts after the last one.
 */
export function parseProcessStat(text: string): { state: string; startTime: string } | undefined {
  const fields = text
    .slice(text.lastIndexOf(')') + 1)
    .trim()
    .split(/\s+/);
  const [state, startTime] = [fields[0], fields[19]];
  if (state === undefined || state === '' || startTime === undefined) return undefined;
  return { state, startTime };
}

/** The identity of a running process; undefined when there is none of that number, or it only waits to be reaped. */
export function identify(pid: number): ProcessIdentity | undefined {
  try {
    const stat = parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    if (stat === undefined || stat.state === 'Z' || stat.state === 'X') return undefined;
    return {
      pid,
      startTime: stat.startTime,
      bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    };
  } catch {
    return undefined;
  }
}

/** Whether exactly this process is still running. */
export function isAlive(identity: ProcessIdentity): boolean {
  const now = identify(identity.pid);
  return now !== undefined && now.startTime === identity.startTime && now.bootId === identity.bootId;
}

/** What to signal: the process alone, or the group that it leads. */
export type Reach = 'process' | 'group';

/** Asks the process to end, waits, and after `graceMs` kills it. Returns only when it is really gone. */
export async function endProcess(
  identity: ProcessIdentity,
  graceMs: number,
  reach: Reach = 'process',
): Promise<void> {
  signal(identity, 'SIGTERM', reach);
  const deadline = Date.now() + graceMs;
  while (isAlive(identity) && Date.now() < deadline) await sleep(50);
  if (reach === 'group' || isAlive(identity)) signal(identity, 'SIGKILL', reach);
  while (isAlive(identity)) await sleep(50);
}

function signal(identity: ProcessIdentity, name: NodeJS.Signals, reach: Reach): void {
  if (reach === 'process' && !isAlive(identity)) return;
  try {
    process.kill(reach === 'group' ? -identity.pid : identity.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
