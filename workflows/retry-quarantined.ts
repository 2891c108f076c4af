import { fileSteps } from './activity-proxies.ts';
import type { RetryResult } from './contract.ts';
import { parseRetryInput } from './retry-input.ts';

/** How often the step reports; three times this without a report and another worker takes it up. */
const HEARTBEAT_MS = 20_000;

/**
 * An operator's: clears quarantined contents, so that the next scan that meets them runs their engine again. Fails
 * at once, with the field named, on wrong input.
 */
export async function retryQuarantined(given: unknown): Promise<RetryResult> {
  const input = parseRetryInput(given);
  const step = { summary: `clear ${whatOf(input)}`, heartbeatMs: HEARTBEAT_MS };
  return fileSteps(step).retryQuarantined(input);
}

function whatOf({ sha256, class: failure }: { sha256?: string | undefined; class?: string | undefined }) {
  if (sha256 !== undefined) return `${sha256.slice(0, 12)}…`;
  return failure === undefined ? 'all that is quarantined' : `what is quarantined for ${failure}`;
}
