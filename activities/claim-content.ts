import { DriverError } from '../drivers/errors.ts';
import { EVENT } from '../drivers/events.ts';
import type { FileResult, RebuildFileInput } from '../workflows/contract.ts';
import type { Dependencies } from './dependencies.ts';
import { receiptKey } from './keys.ts';
import { readQuarantine, readReceipt } from './receipt.ts';

export type ClaimContentInput = Pick<
  RebuildFileInput,
  'sha256' | 'profile' | 'destination' | 'ignoreRecord' | 'scanId'
> & { owner: string };

export type Claim = { kind: 'done'; result: FileResult } | { kind: 'claimed' };

/**
 * Is it done already, by the record or, should that be lost, by the receipt? If not, the lock is taken.
 * While somebody else holds it, throws lock.held, which Temporal retries.
 */
export async function claimContent(deps: Dependencies, input: ClaimContentInput): Promise<Claim> {
  const content = { sha256: input.sha256, fingerprint: input.profile.fingerprint };
  const key = { sha256: input.sha256, profile: input.profile.fingerprint };

  if (!input.ignoreRecord) {
    const [record] = await deps.index.lookup(key.profile, [key.sha256]);
    if (record) {
      const { verdict, destination: url } = record;
      const destination = deps.openDestination(url);
      const reason =
        verdict === 'quarantined'
          ? (await readQuarantine(destination, content))?.reason
          : (await readReceipt(destination, content))?.reason;
      return {
        kind: 'done',
        result: { outcome: verdict, reason, attempts: 0, destination: url, reused: true },
      };
    }
  }

  const receipt = await readReceipt(deps.openDestination(input.destination), content);
  if (receipt) {
    await deps.index.add(key, { verdict: receipt.verdict, destination: input.destination });
    deps.logger.info({ event: EVENT.resultFound, sha256: input.sha256, scan: input.scanId }, 'receipt found');
    return {
      kind: 'done',
      result: {
        outcome: receipt.verdict,
        reason: receipt.reason,
        attempts: 0,
        pod: receipt.pod.name,
        destination: input.destination,
        receipt: receiptKey(content),
        reused: true,
      },
    };
  }

  if (!(await deps.locks.acquire(key, input.owner, deps.settings.lockTtlMs))) {
    deps.logger.info({ event: EVENT.lockDenied, sha256: input.sha256 }, 'another worker has it');
    throw new DriverError('lock.held', 'Somebody else is working on this content; waiting for its lock.', {
      retryable: true,
      retryAfterMs: 5_000,
    });
  }
  deps.logger.debug({ event: EVENT.lockAcquired, sha256: input.sha256 }, 'content claimed');
  return { kind: 'claimed' };
}

/** Frees the lock without a record; nothing to free is success. */
export async function releaseContent(
  deps: Dependencies,
  input: { sha256: string; fingerprint: string; owner: string },
): Promise<void> {
  await deps.locks.release({ sha256: input.sha256, profile: input.fingerprint }, input.owner);
}
