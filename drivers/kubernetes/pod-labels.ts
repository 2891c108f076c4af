/** Labels and annotations of file pods: what selects them, and what tells whose one is. */
import { createHash } from 'node:crypto';
import { base32Digest } from './pod-name.ts';

export const LABEL = {
  /** The installation. Two on one cluster do not see each other's pods. */
  instance: 'pristine.dev/instance',
  role: 'pristine.dev/role',
  sha256: 'pristine.dev/sha256',
  scan: 'pristine.dev/scan',
  profile: 'pristine.dev/profile',
} as const;
export const FILE_ROLE = 'file';

export const ANNOTATION = {
  sha256: 'pristine.dev/sha256',
  scan: 'pristine.dev/scan-id',
  workflowId: 'pristine.dev/workflow-id',
  runId: 'pristine.dev/run-id',
  slot: 'pristine.dev/slot',
  attempt: 'pristine.dev/attempt',
  tier: 'pristine.dev/tier',
  profile: 'pristine.dev/profile',
  fingerprint: 'pristine.dev/profile-fingerprint',
  /** Digest of where its links lead; pods of older releases have none. */
  places: 'pristine.dev/places',
  startDeadlineSeconds: 'pristine.dev/start-deadline-seconds',
} as const;

const LABEL_VALUE = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/** Whether Kubernetes takes it as a label's value (the empty one aside). */
export function isLabelValue(text: string): boolean {
  return LABEL_VALUE.test(text);
}

/** The text itself, or its digest where it does not fit into a label. */
export function labelValue(text: string): string {
  if (isLabelValue(text)) return text;
  return `x-${base32Digest(createHash('sha256').update(text).digest('hex'))}`;
}

/** Selects the file pods of one installation. */
export function filePodSelector(instance: string): string {
  return `${LABEL.instance}=${instance},${LABEL.role}=${FILE_ROLE}`;
}
