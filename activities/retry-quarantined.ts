import { EVENT } from '../drivers/events.ts';
import type { Destination } from '../drivers/ports.ts';
import { profileFingerprint } from '../drivers/profile.ts';
import type { RetryInput, RetryResult } from '../workflows/contract.ts';
import type { Dependencies } from './dependencies.ts';
import { invalid } from './failures.ts';
import { quarantineKey } from './keys.ts';
import { type QuarantineNote, quarantineNotes } from './quarantine-notes.ts';

/** Contents that the result names: it must fit into a history, however many there are. */
const NAMED = 100;
/** Reports go by time, not by key: a destination may hold millions of keys without a note. */
const REPORT_MS = 5_000;

/**
 * Forgets the records of quarantined contents and removes their notes, so that the next scan that meets them, or the
 * next pass of a watching one, runs their engine again. The note goes last: until then a try that died can be
 * repeated, by Temporal or by hand. `before` is what an earlier try had reported.
 */
export async function retryQuarantined(
  deps: Pick<Dependencies, 'openDestination' | 'index' | 'profiles' | 'logger'>,
  input: RetryInput,
  heartbeat: (details: RetryResult) => void,
  before: RetryResult | undefined,
): Promise<RetryResult> {
  const only = input.profile === undefined ? undefined : fingerprintOf(deps, input.profile);
  const destination = deps.openDestination(input.destination);
  const done: RetryResult = before ?? { cleared: 0, contents: [] };
  const beats = setInterval(() => heartbeat(done), REPORT_MS);
  try {
    for await (const note of quarantineNotes(destination, { sha256: input.sha256 })) {
      if (input.class !== undefined && note.class !== input.class) continue;
      if (only !== undefined && note.fingerprint !== only && note.base !== only) continue;
      await clear(deps, destination, note);
      done.cleared += 1;
      if (done.contents.length < NAMED) {
        done.contents.push({ sha256: note.sha256, profile: note.fingerprint });
      }
      heartbeat(done);
    }
  } finally {
    clearInterval(beats);
  }
  return done;
}

async function clear(
  deps: Pick<Dependencies, 'index' | 'logger'>,
  destination: Destination,
  { sha256, fingerprint, base, class: failure }: QuarantineNote,
): Promise<void> {
  const key = { sha256, profile: base ?? fingerprint };
  const [record] = await deps.index.lookup(key.profile, [sha256]);
  // A result that came since, from wherever, stays on record.
  if (record?.verdict === 'quarantined') await deps.index.forget(key);
  await destination.remove(quarantineKey({ sha256, fingerprint }));
  deps.logger.info(
    { event: EVENT.quarantineCleared, sha256, profile: fingerprint, class: failure },
    'cleared',
  );
}

function fingerprintOf({ profiles }: Pick<Dependencies, 'profiles'>, given: string): string {
  const profile = profiles[given];
  if (profile !== undefined) return profileFingerprint(profile);
  // Also that of an engine which the workers no longer have.
  if (/^[0-9a-f]{8}$/.test(given)) return given;
  const known = Object.keys(profiles).join(', ');
  throw invalid(`"profile": given "${given}", but the workers know only: ${known}; or give a fingerprint`);
}
