import { createHash } from 'node:crypto';
import { DriverError } from '../drivers/errors.ts';
import { EVENT } from '../drivers/events.ts';
import { profileFingerprint } from '../drivers/profile.ts';
import type { ProfileRef, ScanInput } from '../workflows/contract.ts';
import type { Dependencies } from './dependencies.ts';
import { invalid } from './failures.ts';

/** What a scan learns once, at its start, from the workers' configuration. */
export type OpenedScan = {
  source: string;
  destination: string;
  profile: ProfileRef;
  maxInputBytes: number;
  maxTier: number;
  startDeadlineSeconds: number;
  runDeadlineSeconds: number;
  heartbeatMs: number;
  searchAttributes: boolean;
  historyLimit?: number | undefined;
  /** Files that are settled in one step at most. Without it 200: scans that older workers have opened. */
  largestBatch?: number | undefined;
};

/** A page of known files is settled in one step. */
const LARGEST_BATCH = 1_200;

/** `firstRunId` names this start of the scan: a forced one is a profile of its own. */
export type OpenScanInput = ScanInput & { firstRunId: string };

/**
 * Says within seconds whether the scan can work at all: profile known, source readable, destination
 * writable with a conditional create, index and cluster there. Whatever a person must mend is not retried.
 */
export async function openScan(deps: Dependencies, input: OpenScanInput): Promise<OpenedScan> {
  const profile = deps.profiles[input.profile];
  if (profile === undefined) {
    const known = Object.keys(deps.profiles).join(', ');
    throw invalid(`"profile": given "${input.profile}", but the workers know only: ${known}`);
  }
  if (input.mode === 'if-changed' && !/@sha256:[0-9a-f]{64}$/.test(profile.image)) {
    throw invalid(
      `"mode": given "if-changed", but the profile "${input.profile}" names its image without a digest, so that ` +
        'nobody can tell whether it changed: write it as image@sha256:…, or use the mode "reuse" or "force"',
    );
  }
  const source = deps.openSource(input.source);
  const destination = deps.openDestination(input.destination);
  if (overlaps(source.url, destination.url)) {
    throw invalid(
      `"destination": ${destination.url} overlaps the source ${source.url}. Results would be scanned as ` +
        'originals: choose a place outside of it.',
    );
  }
  await named('source', source);
  await Promise.all([named('destination', destination), deps.index.check(), deps.pods.check()]);
  deps.logger.info({ event: EVENT.scanStarted, profile: input.profile }, 'scan may start');
  return {
    source: source.url,
    destination: destination.url,
    profile: profileRef(input, profileFingerprint(profile)),
    maxInputBytes: profile.maxInputBytes,
    maxTier: profile.maxTier,
    startDeadlineSeconds: profile.startDeadlineSeconds,
    runDeadlineSeconds: profile.runDeadlineSeconds,
    heartbeatMs: deps.settings.heartbeatMs,
    searchAttributes: deps.settings.searchAttributes,
    historyLimit: deps.settings.historyLimit,
    largestBatch: LARGEST_BATCH,
  };
}

/** What a forced scan makes is committed beside what is there, under a fingerprint of its own. */
function profileRef({ profile: name, mode, firstRunId }: OpenScanInput, base: string): ProfileRef {
  if (mode !== 'force') return { name, fingerprint: base };
  const forced = createHash('sha256').update(`forced ${base} ${firstRunId}`).digest('hex').slice(0, 8);
  return { name, fingerprint: forced, base };
}

/** A check whose failure says which field it concerns and what was given. */
async function named(field: string, place: { url: string; check(): Promise<void> }): Promise<void> {
  try {
    await place.check();
  } catch (error) {
    if (!(error instanceof DriverError)) throw error;
    const { code, retryable, retryAfterMs, message } = error;
    throw new DriverError(code, `"${field}": given ${place.url}. ${message}`, {
      retryable,
      cause: error,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
  }
}

function overlaps(a: string, b: string): boolean {
  const folder = (url: string) => (url.endsWith('/') ? url : `${url}/`);
  return folder(a).startsWith(folder(b)) || folder(b).startsWith(folder(a));
}
