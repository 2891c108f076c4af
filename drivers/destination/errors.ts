/** The errors that every destination has in common. */
import { DriverError } from '../errors.ts';

export function nameUnsupported(why: string, cause?: unknown): DriverError {
  const message = `The destination can't hold a file of this name (${why}): rename it or choose another destination`;
  return new DriverError('destination.name-unsupported', message, { retryable: false, cause });
}

export function noConditionalCreate(what: string, cause?: unknown): DriverError {
  const message =
    `The destination can't create a file only if it is not there (${what}), so nothing keeps two writers from ` +
    "replacing each other's receipts. Choose one that can; or, if no other installation ever writes there, set " +
    'PRISTINE_SINGLE_WRITER=true on the workers: a result may then be replaced by a later one of the same ' +
    'content, and an upload link can overwrite its own upload until it expires';
  return new DriverError('destination.no-conditional-create', message, { retryable: false, cause });
}

export function unseenWrite(): DriverError {
  const message =
    'The destination does not show at once what was written to it, so that not even a single writer sees its own receipts: choose another';
  return new DriverError('destination.no-conditional-create', message, { retryable: false });
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
