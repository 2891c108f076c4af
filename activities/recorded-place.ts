import { DriverError, type DriverErrorCode } from '../drivers/errors.ts';
import { EVENT } from '../drivers/events.ts';
import type { Destination } from '../drivers/ports.ts';
import type { Dependencies } from './dependencies.ts';

/**
 * Asks the destination that a record names. It may be another than the scan's own, and by now out of reach: outside
 * PRISTINE_FILE_ROOTS, forbidden, gone with its bucket; or hold a receipt that can't be read. Then null, as if nothing
 * were there: what the scan can't have from there is rebuilt. Trouble of the scan's own destination, and any that may
 * pass, is thrown.
 */
export async function askRecordedPlace<T>(
  deps: Pick<Dependencies, 'openDestination' | 'logger'>,
  { url, own, sha256 }: { url: string; own: string; sha256: string },
  ask: (place: Destination) => Promise<T | null>,
): Promise<T | null> {
  try {
    return await ask(deps.openDestination(url));
  } catch (error) {
    if (url === own || !isOutOfReach(error)) throw error;
    deps.logger.warn(
      { event: EVENT.contentOutOfReach, sha256, err: error },
      "what its record names in another destination can't be had",
    );
    return null;
  }
}

const OUT_OF_REACH: readonly DriverErrorCode[] = [
  'destination.forbidden',
  'destination.missing',
  'content.mismatch',
];

function isOutOfReach(error: unknown): boolean {
  return error instanceof DriverError && OUT_OF_REACH.includes(error.code);
}
