import type { FileHandle } from 'node:fs/promises';
import type { ByteString } from './byte-string.ts';
import { errnoOf } from './errno.ts';
import type { TempFile } from './temp-file.ts';

/** `claimed`: the name is ours, false when somebody has it. `fenced`: of two at once only one could have won. */
export type Claimed = { claimed: boolean; fenced: boolean };

/**
 * Gives a finished temporary file its name if nobody has that. Where the file system has no hard links and
 * `singleWriter` is asked for, by a look and a rename: whole or not at all as well, but of two that look at the
 * same moment the later replaces the other. Throws system errors; isWithoutLinks tells the one meant here.
 */
export async function claimName(
  temp: Pick<TempFile, 'claim' | 'replaceNobody'>,
  parent: FileHandle,
  name: ByteString,
  singleWriter: boolean,
): Promise<Claimed> {
  try {
    return { claimed: await temp.claim(parent, name), fenced: true };
  } catch (error) {
    if (!singleWriter || !isWithoutLinks(error)) throw error;
    return { claimed: await temp.replaceNobody(parent, name), fenced: false };
  }
}

/** What file systems without hard links answer to link(2). */
export function isWithoutLinks(error: unknown): boolean {
  return ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(errnoOf(error) ?? '');
}
