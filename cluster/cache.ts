import { existsSync, renameSync } from 'node:fs';
import { withLock } from './lock.ts';

/** Moves a finished folder to its place in the cache. Another copy may have been quicker: theirs is as good. */
export function publish(finished: string, folder: string): void {
  try {
    renameSync(finished, folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  }
}

/**
 * Runs `make` unless `folder` is there, and never twice at once, whichever process or copy of the repository asks: who
 * comes second waits (`onWait` is told) and finds it made. Returns whether it was made now.
 */
export async function makeOnce(
  folder: string,
  onWait: (holder: string) => void,
  make: () => Promise<void>,
): Promise<boolean> {
  if (existsSync(folder)) return false;
  return await withLock(`${folder}.lock`, onWait, async () => {
    if (existsSync(folder)) return false;
    await make();
    return true;
  });
}
