/**
 * Codes a driver can fail with. `*.missing`, `*.forbidden`, `*.invalid` need a person; the rest may pass.
 * The first word names whose fault it is.
 */
export const DRIVER_ERROR_CODES = [
  'source.missing',
  'source.forbidden',
  'source.gone',
  'source.changed',
  'source.unavailable',
  'destination.missing',
  'destination.forbidden',
  'destination.name-unsupported',
  'destination.full',
  'destination.unavailable',
  'destination.no-conditional-create',
  'content.missing',
  'content.mismatch',
  'index.unavailable',
  'index.invalid',
  'lock.held',
  'kubernetes.quota',
  'kubernetes.forbidden',
  'kubernetes.invalid',
  'kubernetes.conflict',
  'kubernetes.unavailable',
  'config.invalid',
] as const;
export type DriverErrorCode = (typeof DRIVER_ERROR_CODES)[number];

/**
 * The only error a driver throws on purpose. `message` is one sentence that says what to do and holds no
 * secret, link or response body; the vendor's own error is `cause`.
 */
export class DriverError extends Error {
  readonly code: DriverErrorCode;
  readonly retryable: boolean;
  /** Do not try again before this many milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: DriverErrorCode,
    message: string,
    options: { retryable: boolean; retryAfterMs?: number; cause?: unknown },
  ) {
    super(message, { cause: options.cause });
    this.name = 'DriverError';
    this.code = code;
    this.retryable = options.retryable;
    this.retryAfterMs = options.retryAfterMs;
  }
}
