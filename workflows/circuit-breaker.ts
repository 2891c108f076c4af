/** When a scan stops itself: one kind of failure takes a share of the last contents. Pure. */
import type { FailureLimit, NoResultClass } from './contract.ts';

/** The last contents that ran, oldest first: what each was quarantined for, or `ok`. */
export type Recent = (NoResultClass | 'ok')[];

export function remembered(recent: Recent, ending: Recent[number], limit: FailureLimit | false): Recent {
  return limit === false ? [] : [...recent, ending].slice(-limit.of);
}

/** The reason to pause, in words; null while there is none. */
export function tripped(recent: Recent, limit: FailureLimit | false): string | null {
  if (limit === false || recent.length < limit.of) return null;
  const counts = new Map<string, number>();
  for (const ending of recent) counts.set(ending, (counts.get(ending) ?? 0) + 1);
  for (const [ending, count] of counts) {
    if (ending === 'ok' || count < limit.share * limit.of) continue;
    return (
      `${count} of the last ${limit.of} contents were quarantined for the same class of failure: ${ending}. ` +
      'Look at their reasons (pristine quarantine list), mend it, retry them, and send the update "resume"'
    );
  }
  return null;
}
