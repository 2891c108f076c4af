import type { SeenMark } from '../drivers/ports.ts';
import type { Outcome } from '../workflows/contract.ts';
import type { SettledFile } from '../workflows/scan-state.ts';

/**
 * What a watching scan's later passes go by, of a file whose manifest line says `outcome`; null where they are to try
 * this version again: it moved while it was read, or the trouble was ours and there is no record of it. A quarantined
 * content that has one is an operator's to clear.
 */
export function markOf(
  { outcome: decided, sha256, from }: Pick<SettledFile, 'outcome' | 'sha256' | 'from'>,
  outcome: Outcome,
): SeenMark | null {
  switch (outcome) {
    case 'changed':
    case 'gone':
      return null;
    case 'quarantined':
      return decided === 'quarantined' && from !== undefined ? { quarantined: sha256 } : null;
    default:
      return {};
  }
}
