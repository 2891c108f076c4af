/** The errors that every destination has in common. */
import { DriverError } from '../errors.ts';

export function nameUnsupported(why: string, cause?: unknown): DriverError {
  const message = `The destination can't hold a file of this name (${why}): rename it or choose another destination`;
  return new DriverError('destination.name-unsupported', message, { retryable: false, cause });
}

export function noConditionalCreate(what: string, cause?: unknown): DriverError {
  const message = `The destination can't create a file only if it is not there (${what}): choose one that can`;
  return new DriverError('destination.no-conditional-create', message, { retryable: false, cause });
}

export function mismatch(): DriverError {
  return new DriverError('content.mismatch', 'The rebuilt content is not what its receipt says', {
    retryable: false,
  });
}

export function missing(cause?: unknown): DriverError {
  return new DriverError('content.missing', 'The rebuilt content is not there any more', {
    retryable: false,
    cause,
  });
}
