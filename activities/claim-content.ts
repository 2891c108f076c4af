import { DriverError } from '../drivers/errors.ts';
import { EVENT } from '../drivers/events.ts';
import type { ContentKey, IndexClaim, IndexRecord } from '../drivers/ports.ts';
import type { FileResult, RebuildFileInput } from '../workflows/contract.ts';
import { indexProfile } from '../workflows/contract.ts';
import type { Dependencies } from './dependencies.ts';
import { receiptKey } from './keys.ts';
import { readQuarantine, readReceipt } from './receipt.ts';
import { askRecordedPlace } from './recorded-place.ts';

export type ClaimContentInput = Pick<
  RebuildFileInput,
  'sha256' | 'profile' | 'destination' | 'ignoreRecord' | 'scanId'
> & { owner: string };

export type Claim = { kind: 'done'; result: FileResult } | { kind: 'claimed' };

/**
 * Is it done already, by the record or, should that be lost, by the receipt? If not, the lock is ours now.
 * While somebody else holds it, throws lock.held, which Temporal retries.
 */
export async function claimContent(deps: Dependencies, input: ClaimContentInput): Promise<Claim> {
  const content = { sha256: input.sha256, fingerprint: input.profile.fingerprint };
  const key = { sha256: input.sha256, profile: indexProfile(input.profile) };

  const claim = await claimKey(deps, input, key);
  if (claim.kind === 'held') {
    deps.logger.info({ event: EVENT.lockDenied, sha256: input.sha256 }, 'another worker has it');
    throw new DriverError('lock.held', 'Somebody else is working on this content; waiting for its lock.', {
      retryable: true,
      retryAfterMs: 5_000,
    });
  }
  if (claim.kind === 'done')
    return { kind: 'done', result: await resultOf(deps, input.destination, claim.record, content) };
  await deps.reached?.('content.claimed');

  const receipt = await readReceipt(deps.openDestination(input.destination), content);
  if (receipt === null) {
    deps.logger.debug({ event: EVENT.lockAcquired, sha256: input.sha256 }, 'content claimed');
    return { kind: 'claimed' };
  }
  const record = recordOf(input, receipt.verdict);
  await deps.index.add(key, record, input.owner);
  deps.logger.info({ event: EVENT.resultFound, sha256: input.sha256, scan: input.scanId }, 'receipt found');
  return {
    kind: 'done',
    result: {
      outcome: receipt.verdict,
      reason: receipt.reason,
      attempts: 0,
      pod: receipt.pod.name,
      destination: record.destination,
      fingerprint: record.fingerprint,
      receipt: receiptKey(content),
      reused: true,
    },
  };
}

/** What the index is told of a content that is done; says so where the receipt lies under a forced fingerprint. */
export function recordOf(
  { destination, profile }: Pick<RebuildFileInput, 'destination' | 'profile'>,
  verdict: IndexRecord['verdict'],
): IndexRecord {
  return {
    verdict,
    destination,
    ...(profile.base === undefined ? {} : { fingerprint: profile.fingerprint }),
  };
}

async function claimKey(deps: Dependencies, input: ClaimContentInput, key: ContentKey): Promise<IndexClaim> {
  const { lockTtlMs } = deps.settings;
  if (!input.ignoreRecord) return deps.index.claim(key, input.owner, lockTtlMs);
  return { kind: (await deps.locks.acquire(key, input.owner, lockTtlMs)) ? 'claimed' : 'held' };
}

async function resultOf(
  deps: Dependencies,
  own: string,
  record: IndexRecord,
  content: { sha256: string; fingerprint: string },
): Promise<FileResult> {
  const { verdict, destination: url, fingerprint = content.fingerprint } = record;
  const place = { sha256: content.sha256, fingerprint };
  const read = verdict === 'quarantined' ? readQuarantine : readReceipt;
  const kept = await askRecordedPlace<{ reason?: string | undefined }>(
    deps,
    { url, own, sha256: content.sha256 },
    (destination) => read(destination, place),
  );
  return {
    outcome: verdict,
    reason: kept?.reason,
    attempts: 0,
    destination: url,
    fingerprint: record.fingerprint,
    reused: true,
  };
}

/** Frees the lock without a record; nothing to free is success. */
export async function releaseContent(
  deps: Dependencies,
  input: { sha256: string; fingerprint: string; owner: string },
): Promise<void> {
  await deps.locks.release({ sha256: input.sha256, profile: input.fingerprint }, input.owner);
}
