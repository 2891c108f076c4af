import { EVENT } from '../drivers/events.ts';
import type { ProfileRef } from '../workflows/contract.ts';
import { indexProfile } from '../workflows/contract.ts';
import { recordOf } from './claim-content.ts';
import type { Dependencies } from './dependencies.ts';
import { quarantineKey } from './keys.ts';
import type { NewQuarantine } from './receipt.ts';

export type QuarantineContentInput = {
  sha256: string;
  profile: ProfileRef;
  destination: string;
  owner: string;
  quarantine: NewQuarantine;
};

/** Writes down why, for the operator, then adds the content to the index and frees its lock in one step. */
export async function quarantineContent(deps: Dependencies, input: QuarantineContentInput): Promise<void> {
  const { sha256, profile } = input;
  const { fingerprint, base } = profile;
  const document = { ...input.quarantine, sha256, profile: fingerprint, base, at: new Date().toISOString() };
  await deps
    .openDestination(input.destination)
    .write(quarantineKey({ sha256, fingerprint }), `${JSON.stringify(document, null, 2)}\n`);
  const key = { sha256, profile: indexProfile(profile) };
  await deps.index.add(key, recordOf(input, 'quarantined'), input.owner);
  deps.logger.info({ event: EVENT.contentRecorded, sha256, verdict: 'quarantined' }, 'recorded');
}
