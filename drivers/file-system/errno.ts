/** The code of a system error ('ENOENT'), or undefined for anything else. */
export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The name is not there: neither it nor a folder on the way to it. */
export function isAbsent(error: unknown): boolean {
  return errnoOf(error) === 'ENOENT';
}

/** A no-follow open stopped: a link or no folder on the way, or a link, socket or FIFO at its end. */
export function isBlockedByKind(error: unknown): boolean {
  return ['ENOTDIR', 'ELOOP', 'ENXIO'].includes(errnoOf(error) ?? '');
}

export function isDenied(error: unknown): boolean {
  return ['EACCES', 'EPERM'].includes(errnoOf(error) ?? '');
}
