import { DriverError, type DriverErrorCode } from '../errors.ts';
import { EVENT, type LogFields } from '../events.ts';
import type { FailureClass, FilePodRequest } from '../ports.ts';

/** What else goes wrong may pass by itself, and tells nothing about the cluster's settings. */
const CLASS: Partial<Record<DriverErrorCode, FailureClass>> = {
  'kubernetes.quota': 'capacity',
  'kubernetes.forbidden': 'configuration',
  'kubernetes.invalid': 'configuration',
};

/** The event for a pod that the API server did not take, so that it never is and never ends; null: no refusal. */
export function podRefused(request: FilePodRequest, error: unknown): LogFields | null {
  const failure = error instanceof DriverError ? CLASS[error.code] : undefined;
  if (!(error instanceof DriverError) || failure === undefined) return null;
  return {
    event: EVENT.podRefused,
    sha256: request.sha256,
    pod: request.name,
    attempt: request.attempt,
    class: failure,
    code: error.code,
    reason: error.message,
  };
}
