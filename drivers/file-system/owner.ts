import { readFile, readlink } from 'node:fs/promises';
import { isAbsent } from './errno.ts';

let self: Promise<string> | undefined;

/**
 * Who owns a temporary file, so that whoever cleans up can tell an abandoned one from one that is being
 * written: this boot, this set of process numbers, this process and when it started.
 */
export function describeSelf(): Promise<string> {
  self ??= describeOwner(process.pid);
  return self;
}

async function describeOwner(pid: number): Promise<string> {
  const [boot, space, start] = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    readlink('/proc/self/ns/pid'),
    startedAt(pid),
  ]);
  return `${boot.slice(0, 8)}-${space.replace(/\D/g, '')}-${pid}-${start}`;
}

/** Whether the owner is a process that is gone. false also where this process cannot tell. */
export async function isGone(owner: string): Promise<boolean> {
  const [ourBoot, ourSpace] = (await describeSelf()).split('-');
  const [boot, space, pid] = owner.split('-');
  if (boot !== ourBoot || space !== ourSpace) return false;
  try {
    return (await describeOwner(Number(pid))) !== owner;
  } catch (error) {
    if (isAbsent(error)) return true;
    throw error;
  }
}

/** Field 22 of /proc/PID/stat, counted after the command in parentheses, which may hold spaces. */
async function startedAt(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
