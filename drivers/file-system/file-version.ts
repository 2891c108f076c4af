import type { BigIntStats } from 'node:fs';

/**
 * A plain file's version. The change time is in it because whoever rewrites a file can set the modification
 * time back, and the inode because a rename may bring another file with the same times. Not the device
 * number: it differs between two hosts that mount the same share.
 */
export function fileVersion(stats: BigIntStats): string {
  return `${stats.size}-${stats.mtimeNs}-${stats.ctimeNs}-${stats.ino}`;
}
