/** What an API server or the way to it can answer instead of success, and what that means to us. */
import { z } from 'zod';
import { DriverError } from '../errors.ts';
import { boundedText, withoutLinks } from './bounded-text.ts';

/** The parts of a metav1.Status that decide. */
export const statusSchema = z.object({
  reason: z.string().catch(''),
  message: z.string().catch(''),
  code: z.number().optional().catch(undefined),
  details: z
    .object({
      causes: z.array(z.object({ reason: z.string().catch(''), field: z.string().catch('') })).catch([]),
      retryAfterSeconds: z.number().optional().catch(undefined),
    })
    .catch({ causes: [] }),
});
export type StatusBody = z.infer<typeof statusSchema>;

/**
 * A request that failed. `status` is 0 when no answer came. `message` holds the server's own sentence without
 * links, bounded and escaped, never a body or a header.
 */
export class KubeError extends Error {
  readonly status: number;
  /** metav1.StatusReason, such as AlreadyExists; empty when there is none. */
  readonly reason: string;
  readonly fields: readonly string[];
  readonly retryAfterMs: number | undefined;
  /** The server has the request, as far as we know, and did not answer in our time. */
  readonly timedOut: boolean;

  constructor(from: {
    status?: number | undefined;
    body?: StatusBody | undefined;
    message?: string;
    retryAfterMs?: number;
    timedOut?: boolean;
    cause?: unknown;
  }) {
    const said = boundedText(withoutLinks(from.body?.message ?? from.message ?? ''), 300);
    super(said || `The API server answered ${from.status ?? 'nothing'}.`, { cause: from.cause });
    this.name = 'KubeError';
    this.status = from.status ?? 0;
    this.timedOut = from.timedOut ?? false;
    this.reason = from.body?.reason ?? '';
    this.fields = from.body?.details.causes.map(({ field }) => boundedText(field, 100)) ?? [];
    const seconds = from.body?.details.retryAfterSeconds;
    this.retryAfterMs = from.retryAfterMs ?? (seconds === undefined ? undefined : seconds * 1000);
  }

  /** From what the connection failed with. Its message names hosts and addresses only, its code what happened. */
  static unreachable(error: unknown): KubeError {
    const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
    return new KubeError({
      message: `No connection to the API server${code && ` (${code})`}.`,
      cause: error,
    });
  }
}

/** How long to wait after a full quota: pods end in seconds, not in milliseconds. */
const QUOTA_RETRY_MS = 5_000;
const CONFLICT_RETRY_MS = 1_000;

/**
 * Turns what a request threw into the driver's error. `doing` completes "Could not …". Others pass unchanged.
 * `renewable`: nobody waits at a screen, so credentials that are not accepted may be renewed meanwhile.
 */
export function driverError(error: unknown, doing: string, { renewable = false } = {}): unknown {
  if (!(error instanceof KubeError)) return error;
  const { status, message, reason, retryAfterMs } = error;
  const make = (
    code: `kubernetes.${'quota' | 'forbidden' | 'invalid' | 'conflict' | 'unavailable'}`,
    words: string,
    retryMs?: number | false,
  ) =>
    new DriverError(code, `Could not ${doing}: ${words}`, {
      retryable: retryMs !== false,
      ...(retryMs && { retryAfterMs: retryMs }),
      // Not the error itself: its own cause may hold a body.
      cause: { status, reason },
    });

  if (status === 401)
    return make(
      'kubernetes.forbidden',
      'the API server does not accept our credentials; renew them.',
      renewable ? undefined : false,
    );
  if (status === 403 && /exceeded quota/i.test(message))
    return make('kubernetes.quota', message, retryAfterMs ?? QUOTA_RETRY_MS);
  // A namespace's "default" service account appears a moment after the namespace.
  if (status === 403 && /serviceaccount .* not found/i.test(message))
    return make('kubernetes.unavailable', message, retryAfterMs ?? CONFLICT_RETRY_MS);
  if (status === 403)
    return make('kubernetes.forbidden', `${message} Change the role or the admission policy.`, false);
  // A ValidatingAdmissionPolicy answers 422 and names no field: its own words are what a person needs.
  if (status === 422 && /denied (the )?request/.test(message))
    return make('kubernetes.forbidden', `${message} Change the pod or the admission policy.`, false);
  if (status === 409) return make('kubernetes.conflict', message, retryAfterMs ?? CONFLICT_RETRY_MS);
  if (status === 404) return make('kubernetes.invalid', message, false);
  if (status === 422 || status === 400 || status === 413 || status === 415)
    return make('kubernetes.invalid', invalidWords(error), false);
  return make('kubernetes.unavailable', message, retryAfterMs);
}

/** The fields at fault and not the sentence, which repeats their values; a value may be a link. */
function invalidWords({ fields, reason, status }: KubeError): string {
  if (fields.length === 0) return `the API server takes it for invalid (${reason || status}).`;
  return `the API server does not take ${fields.slice(0, 5).join(', ')} (${reason || status}).`;
}

/**
 * What it means that a container's log can't be read. Pure. The API server asks the kubelet for it:
 *
 * 1. 400, its container has not started, and 404, the pod is gone: there is `none`.
 * 2. 5xx or no answer in our time, the kubelet does not answer (a lost node), and 401, 403, we may not: `lost`. No
 *    result waits for a log.
 * 3. no connection to the API server, or 429: ask again `later`.
 */
export function logTrouble({ status, timedOut }: KubeError): 'none' | 'lost' | 'later' {
  if (status === 400 || status === 404) return 'none';
  return timedOut || status >= 500 || status === 401 || status === 403 ? 'lost' : 'later';
}
