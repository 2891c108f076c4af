/** What becomes of the names that waited for a content: pure. */
import type { ChildEnd } from './child-end.ts';
import type { HashedFile, InFlight, SettledFile } from './scan-state.ts';
import { outcomesOf } from './scan-state.ts';

/** `settled` have their outcome; `again` go back into the queue; `pause` is why the scan stops itself. */
export type AfterEnd = { settled: SettledFile[]; again: HashedFile[]; pause?: string };

/** A content whose workflow ends this often without an answer is given up. */
export const LOST_LIMIT = 5;

export function afterEnd(content: InFlight, end: ChildEnd): AfterEnd {
  switch (end.kind) {
    case 'result':
      return outcomesOf(content, end.result);
    case 'blocked':
      return {
        settled: [],
        again: content.files,
        pause: `${end.reason}. Mend it and send the update "resume".`,
      };
    case 'lost': {
      const lost = content.lost + 1;
      if (lost < LOST_LIMIT) return { settled: [], again: content.files.map((file) => ({ ...file, lost })) };
      const reason = `its workflow was terminated or timed out ${LOST_LIMIT} times`;
      return {
        settled: content.files.map((file) => ({ ...file, outcome: 'quarantined', reason })),
        again: [],
      };
    }
  }
}

/** Its record or receipt says done, but the content is not there: rebuilt once more, then given up. */
export function afterMissing(file: SettledFile | undefined): AfterEnd {
  if (file?.sha256 === undefined || file.version === undefined) return { settled: [], again: [] };
  const { name, size, sha256, version } = file;
  const missing = (file.missing ?? 0) + 1;
  if (missing === 1) return { settled: [], again: [{ name, size, sha256, version, missing }] };
  const reason = 'the receipt of this content names bytes that are not there: run `pristine verify`';
  return { settled: [{ name, size, sha256, version, outcome: 'quarantined', reason }], again: [] };
}
