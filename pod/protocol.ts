/**
 * What the controller and the programs inside a pod agree on: environment, folders, exit codes. No imports,
 * so that the bundle inside the pod stays small.
 */

/** Environment of `fetch`. */
export const FETCH_ENV = {
  url: 'PRISTINE_GET_URL',
  sha256: 'PRISTINE_SHA256',
  size: 'PRISTINE_SIZE',
} as const;

/** Environment of `upload`. Each link creates one object of this attempt's slot. */
export const UPLOAD_ENV = {
  rebuilt: 'PRISTINE_PUT_REBUILT',
  reportXml: 'PRISTINE_PUT_REPORT_XML',
  reportJson: 'PRISTINE_PUT_REPORT_JSON',
  maxRebuiltBytes: 'PRISTINE_MAX_REBUILT_BYTES',
  maxReportBytes: 'PRISTINE_MAX_REPORT_BYTES',
} as const;

export const FOLDER = { in: '/pristine/in', out: '/pristine/out' } as const;
export const INPUT_FILE = 'file';
export const OUTPUT = {
  rebuilt: 'rebuilt',
  reportXml: 'report.xml',
  reportJson: 'report.json',
  refused: 'refused',
} as const;

/** Kubernetes' own limit on a termination message, in bytes. */
export const TERMINATION_MESSAGE_LIMIT = 4096;

/** Exit codes of `fetch` and `upload`. Each writes one sentence as its termination message. */
export const EXIT = {
  ok: 0,
  /** Wrong environment: our error. */
  usage: 2,
  /** The source gave other bytes, twice the same: the file changed since it was listed. */
  changed: 10,
  /** 404: the file is not there any more. */
  gone: 11,
  /** 403: the link has expired or was not made for this. */
  linkRefused: 12,
  /** Network, 5xx, short or corrupted transfer. */
  transfer: 13,
  /** 507: the destination has no room. */
  destinationFull: 14,
  /** The engine left neither, both, or something that is not a plain file of allowed size. */
  badOutput: 20,
} as const;

/** Exit code with which an engine may say "refused" instead of writing out/refused. */
export const ENGINE_REFUSED_EXIT = 3;
