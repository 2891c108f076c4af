import { DriverError } from '../errors.ts';
import { RootMissingError } from '../file-system/anchor.ts';
import { errnoOf } from '../file-system/errno.ts';
import { nameUnsupported } from './errors.ts';

const UNSUPPORTED = [
  'ENOTDIR',
  'ELOOP',
  'EISDIR',
  'ENOTEMPTY',
  'EEXIST',
  'ENXIO',
  'ENAMETOOLONG',
  'EINVAL',
  'EILSEQ',
];

/** What a system error means to whoever writes results. */
export function fsDestinationError(cause: unknown): DriverError {
  if (cause instanceof DriverError) return cause;
  const code = errnoOf(cause) ?? 'an error';
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new DriverError('destination.full', 'The destination is full: make room on its volume', {
      retryable: true,
      cause,
    });
  }
  if (UNSUPPORTED.includes(code)) return nameUnsupported(`its file system answers ${code}`, cause);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    const message = `The destination can't be written (${code}): allow it to the user that the worker runs as`;
    return new DriverError('destination.forbidden', message, { retryable: false, cause });
  }
  if (code === 'EXDEV') {
    const message =
      "The destination's folder and its entry of PRISTINE_FILE_ROOTS are on different file systems: list the mounted folder itself in PRISTINE_FILE_ROOTS";
    return new DriverError('config.invalid', message, { retryable: false, cause });
  }
  if (code === 'ENOENT' || cause instanceof RootMissingError) {
    const message =
      "The destination's volume is not there: check the URL, and that its entry of PRISTINE_FILE_ROOTS is mounted on the workers";
    return new DriverError('destination.missing', message, { retryable: false, cause });
  }
  return new DriverError('destination.unavailable', `The destination's file system answers ${code}`, {
    retryable: true,
    cause,
  });
}
