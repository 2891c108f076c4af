/** What etcd and gRPC fail with, as DriverError. Their own words stay in `cause`. */
import { type ServiceError, status } from '@grpc/grpc-js';
import { DriverError } from '../errors.ts';

export const NO_SPACE =
  'etcd’s database is full (NOSPACE alarm): compact and defragment it or raise --quota-backend-bytes, then `etcdctl alarm disarm`';
const CORRUPT = 'etcd has found its data corrupt (CORRUPT alarm): restore it, then `pristine index rebuild`';

/** May pass: index.unavailable. Needs a person: index.invalid. */
export function toDriverError(error: unknown): DriverError {
  if (error instanceof DriverError) return error;
  if (!isServiceError(error)) return unavailable('etcd’s answer can’t be read', error);
  const { code, details } = error;
  if (isRefusedSignIn(error)) {
    // Passwords and roles are changed while scans run: they go on when the two agree again.
    return unavailable('etcd refuses the user or password in ETCD_USER and ETCD_PASSWORD', error);
  }
  switch (code) {
    case status.PERMISSION_DENIED:
      return unavailable(
        'etcd refuses a key to this user: grant its role readwrite on the prefix PRISTINE_KEY_PREFIX/',
        error,
      );
    case status.RESOURCE_EXHAUSTED:
      if (details.includes('space exceeded')) return unavailable(NO_SPACE, error);
      return unavailable('etcd has too much to do, or a message is too large for it', error);
    case status.DATA_LOSS:
      return invalid(CORRUPT, error);
    case status.UNAVAILABLE:
    case status.DEADLINE_EXCEEDED:
    case status.CANCELLED:
      return unreachable(error);
    default:
      if (details.includes('too many operations'))
        return invalid('etcd takes too few operations at a time: start it with --max-txn-ops=128', error);
      return unavailable(`etcd answered with an error (${status[code] ?? code})`, error);
  }
}

/** An alarm that Status told; null when it is none that stops the index. */
export function alarmError(alarm: string): DriverError | null {
  if (alarm.includes('NOSPACE')) return unavailable(NO_SPACE, alarm);
  if (alarm.includes('CORRUPT')) return invalid(CORRUPT, alarm);
  return null;
}

export function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error;
}

/** The token ran out, was made before the last change of users, or is one of a server that is no more. */
export function isStaleToken(error: unknown): boolean {
  return (
    isServiceError(error) &&
    /invalid auth token|revision of auth store|user name is empty/.test(error.details)
  );
}

/** Signing in failed because this etcd has no users at all: then it asks for none either. */
export function isWithoutUsers(error: unknown): boolean {
  return isServiceError(error) && error.details.includes('authentication is not enabled');
}

export function isLeaseGone(error: unknown): boolean {
  const cause = error instanceof DriverError ? error.cause : error;
  return isServiceError(cause) && cause.details.includes('lease not found');
}

export function otherSchema(found: string, place: string): DriverError {
  return invalid(
    `The index at ${place} in etcd has schema version ${found.slice(0, 20)}, which this program does not read: use the program that wrote it, or run \`pristine index rebuild\` with this one`,
  );
}

export function unreadableMeta(place: string): DriverError {
  return invalid(
    `The key ${place} in etcd is not Pristine’s, or is damaged: if it belongs to another program, set another PRISTINE_KEY_PREFIX; if not, run \`pristine index rebuild\``,
  );
}

export function lostMeta(place: string): DriverError {
  return invalid(
    `The key ${place} is gone from etcd while records are there: run \`pristine index rebuild\``,
  );
}

export function foreignKey(place: string): DriverError {
  return invalid(
    `The key ${place} in etcd has no lease, so it is not Pristine’s: if it belongs to another program, set another PRISTINE_KEY_PREFIX; if not, delete it`,
  );
}

function isRefusedSignIn({ code, details }: ServiceError): boolean {
  return code === status.UNAUTHENTICATED || /authentication failed|user name is empty/.test(details);
}

function unreachable(error: ServiceError): DriverError {
  const tls = /certificate|TLS|SSL|handshake/i.test(error.details)
    ? ': look at ETCD_CA_FILE, ETCD_CERT_FILE, ETCD_KEY_FILE and whether it is https'
    : '';
  return unavailable(`etcd does not answer at ETCD_ENDPOINTS (${status[error.code]})${tls}`, error);
}

export function unavailable(message: string, cause?: unknown): DriverError {
  return new DriverError('index.unavailable', message, { retryable: true, cause });
}

function invalid(message: string, cause?: unknown): DriverError {
  return new DriverError('index.invalid', message, { retryable: false, cause });
}
