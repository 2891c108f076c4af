import { condition } from '@temporalio/workflow';
import { fileSteps } from './activity-proxies.ts';
import { entrySize, HELD_SIZE } from './name-size.ts';
import { orPause } from './or-pause.ts';
import { type ScanRun, still } from './scan-run.ts';

const FIRST_PAGE = 25;
const PAGE = 200;
/** Listing rests while this many outcomes wait to be written. */
const SETTLED_LIMIT = 1_000;

/** Lists, hashes and looks up ahead of what is in work. */
export async function listLoop(run: ScanRun): Promise<void> {
  const { input, scanId, firstRunId, state, settled, busy } = run;
  const { source, destination, profile, maxInputBytes, heartbeatMs } = state.opened;
  for (;;) {
    await condition(() => run.over || wanted(run));
    if (run.over) return;
    busy.listing = true;
    const steps = fileSteps({ summary: 'list, hash, look up', heartbeatMs });
    const page = await orPause(state, () =>
      steps.listPage({
        scanId,
        firstRunId,
        page: state.nextPage,
        source,
        destination,
        profile,
        cursor: state.cursor,
        limit: state.listed === 0 ? FIRST_PAGE : PAGE,
        include: input.include,
        exclude: input.exclude,
        maxBytes: input.maxBytes,
        maxInputBytes,
        watch: input.watch !== false,
      }),
    );
    const listed = page.work.length + page.settled.length;
    state.listed += listed;
    state.queue.push(...page.work);
    settled.push(...page.settled);
    if (listed > 0) state.nextPage += 1;
    state.cursor = page.next;
    state.listingComplete = page.next === null;
    busy.listing = false;
  }
}

function wanted(run: ScanRun): boolean {
  const { state, settled } = run;
  return (
    !still(run) &&
    !state.listingComplete &&
    state.queue.length < Math.max(state.parallelFiles, FIRST_PAGE) &&
    settled.length < SETTLED_LIMIT &&
    heldSize(run) < HELD_SIZE
  );
}

/** Bytes of all files that the scan holds. */
function heldSize({ state, settled, window }: ScanRun): number {
  let size = entrySize(state.queue) + entrySize(settled);
  for (const { files } of window.values()) size += entrySize(files);
  return size;
}
