import { readFileSync } from 'node:fs';
import { run } from './command.ts';

/**
 * The mount points at or below any of the folders, deepest first, in the text of /proc/mounts, where space, tab,
 * newline and backslash are written as octal escapes.
 */
export function mountsBelow(mounts: string, folders: readonly string[]): string[] {
  return mounts
    .split('\n')
    .flatMap((line) => line.split(' ')[1] ?? [])
    .map((point) =>
      point.replaceAll(/\\(\d{3})/g, (_all, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    )
    .filter((point) => folders.some((folder) => point === folder || point.startsWith(`${folder}/`)))
    .reverse();
}

/** Unmounts everything at or below the folders. */
export async function unmountBelow(folders: readonly string[]): Promise<void> {
  for (const point of mountsBelow(readFileSync('/proc/mounts', 'utf8'), folders)) {
    const plain = await run('umount', [point]);
    // Something that ended a moment ago may still hold it: detached, it goes with its last user.
    if (plain.code !== 0) await run('umount', ['--lazy', point]);
  }
}
