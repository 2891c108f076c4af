import { EVENT } from '../drivers/events.ts';
import type { IndexRecord } from '../drivers/ports.ts';
import type { Dependencies } from './dependencies.ts';
import { quarantineKey } from './keys.ts';
import type { Quarantine } from './receipt.ts';

export type RecordContentInput = {
  sha256: string;
  fingerprint: string;
  record: IndexRecord;
  owner: string;
  /** For a quarantined content: why, kept beside it for the operator. */
  quarantine?: Quarantine | undefined;
};

/** Adds the content to filter and exact record and frees its lock, in one step. */
export async function recordContent(deps: Dependencies, input: RecordContentInput): Promise<void> {
  const { sha256, fingerprint, record } = input;
  if (input.quarantine) {
    const document = { ...input.quarantine, sha256, profile: fingerprint, at: new Date().toISOString() };
    await deps
      .openDestination(record.destination)
      .write(quarantineKey({ sha256, fingerprint }), `${JSON.stringify(document, null, 2)}\n`);
  }
  await deps.index.add({ sha256, profile: fingerprint }, record, input.owner);
  deps.logger.info({ event: EVENT.contentRecorded, sha256, verdict: record.verdict }, 'recorded');
}
