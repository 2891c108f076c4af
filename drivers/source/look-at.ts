import type { BigIntStats } from 'node:fs';
import { lstat, open } from 'node:fs/promises';
import { READ_FILE } from '../file-system/anchor.ts';

/** The three bits of a mode that let owner, group and others read. */
const READABLE = 0o444n;

/** With `stats`, `failure` is why a plain file can't be opened. */
export type Look = { stats?: BigIntStats; failure?: unknown };

/** Never rejects: nobody may be there to hear of it. */
export async function lookAt(path: Buffer): Promise<Look> {
  let stats: BigIntStats | undefined;
  try {
    stats = await lstat(path, { bigint: true });
    if (stats.isFile() && !isOpenToAll(stats)) await (await open(path, READ_FILE)).close();
    return { stats };
  } catch (failure) {
    return { ...(stats && { stats }), failure };
  }
}

/**
 * Opening a file tells for sure whether it can be read, and costs as much as ten looks. Where its mode lets anybody
 * read it that is left to whoever does: what still hinders him he tells as well.
 */
function isOpenToAll({ mode }: BigIntStats): boolean {
  return (mode & READABLE) === READABLE;
}
