import { certificateTrouble } from '../certificate-trouble.ts';
import { nameUnsupported } from '../destination/errors.ts';
import { DriverError, type DriverErrorCode } from '../errors.ts';

type Side = 'source' | 'destination';
/** What the SDK's errors have in common: S3's own code as `name`, and the HTTP status when there was one. */
export type S3Failure = { code: string; status: number | undefined; retryAfterMs: number | undefined };

/** Reads S3's code and status out of whatever was thrown. Codes that are no plain word are not repeated. */
export function s3Failure(error: unknown): S3Failure {
  const { name, code, $metadata, $response } = (error ?? {}) as {
    name?: unknown;
    code?: unknown;
    $metadata?: { httpStatusCode?: unknown };
    $response?: { headers?: Record<string, string> };
  };
  const status = $metadata?.httpStatusCode;
  const seconds = Number($response?.headers?.['retry-after']);
  const said = typeof code === 'string' ? code : name;
  return {
    code: typeof said === 'string' && /^\w{1,64}$/.test(said) ? said : 'an error',
    status: typeof status === 'number' ? status : undefined,
    retryAfterMs: seconds > 0 ? seconds * 1000 : undefined,
  };
}

const NAME_UNSUPPORTED = [
  'KeyTooLongError',
  'ExistingObjectIsDirectory',
  'ObjectParentIsFile',
  'XMinioInvalidObjectName',
  'XMinioParentIsObject',
  'InvalidURI',
];
const FULL = ['QuotaExceeded', 'InsufficientStorage', 'XMinioStorageFull'];
const WRONG_REGION = [
  'PermanentRedirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
];
/** As versitygw says it, with a 404. */
const UNKNOWN_USER = ['InvalidAccessKeyId', 'XAdminUserNotFound'];
const NO_CREDENTIALS = ['CredentialsProviderError', 'TokenProviderError'];

/**
 * What a failed request means. Whatever is not known to need a person may pass: `<side>.unavailable`,
 * retryable, unless the store refused the request itself (another 4xx). What `open` and `read` expect, a key
 * that is not there or a condition that does not hold, they look at before.
 */
export function s3Error(side: Side, cause: unknown): DriverError {
  if (cause instanceof DriverError) return cause;
  const { code, status, retryAfterMs } = s3Failure(cause);
  const said = status === undefined ? code : `${code}, HTTP ${status}`;
  const fail = (error: DriverErrorCode, message: string, retryable = false) =>
    new DriverError(error, message, {
      retryable,
      cause,
      ...(retryAfterMs === undefined || !retryable ? {} : { retryAfterMs }),
    });

  const trouble = certificateTrouble(cause);
  if (trouble !== undefined)
    return fail(`${side}.unavailable`, `The ${side}'s store can't be used: ${trouble}`, true);
  if (code === 'NoSuchBucket') {
    return fail(`${side}.missing`, `The ${side}'s bucket does not exist: check the URL or create it`);
  }
  if (side === 'destination' && (FULL.includes(code) || status === 507)) {
    return fail('destination.full', `The destination is full (${said}): make room or raise its quota`, true);
  }
  if (side === 'destination' && NAME_UNSUPPORTED.includes(code)) return nameUnsupported(said, cause);
  if (NO_CREDENTIALS.includes(code)) {
    const message = `There are no S3 credentials for the ${side}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the workers a role`;
    return fail('config.invalid', message);
  }
  if (WRONG_REGION.includes(code)) {
    return fail('config.invalid', `The ${side}'s bucket is in another region (${said}): set AWS_REGION`);
  }
  if (code === 'RequestTimeTooSkewed') {
    return fail(
      `${side}.forbidden`,
      `The ${side}'s store and the worker do not agree on the time: set the clocks`,
    );
  }
  if (code === 'InvalidObjectState') {
    return fail(`${side}.forbidden`, `The object is archived and can't be read: restore it first`);
  }
  if (status === 401 || status === 403 || UNKNOWN_USER.includes(code)) {
    return fail(
      `${side}.forbidden`,
      `The ${side}'s store refuses it (${said}): check the credentials and the bucket's policy`,
    );
  }
  const passing =
    status === undefined ||
    status >= 500 ||
    [408, 409, 429].includes(status) ||
    /throttl|slowdown|timeout/i.test(code);
  return fail(`${side}.unavailable`, `The ${side}'s store answers ${said}`, passing);
}
