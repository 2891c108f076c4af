import {
  CancellationScope,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  isCancellation,
  workflowInfo,
} from '@temporalio/workflow';
import { fileSteps, openingSteps } from './activity-proxies.ts';
import { afterEnd, afterMissing } from './after-end.ts';
import type { ChildEnd } from './child-end.ts';
import { remembered, tripped } from './circuit-breaker.ts';
import { endOfAttached, endOfStarted, startContent } from './content-child.ts';
import type { FileResult, ScanSummary } from './contract.ts';
import { fileWorkflowId, OUTCOMES, totalOf } from './contract.ts';
import { parseScanInput } from './messages.ts';
import { batchLength, HELD_NAMES, nameSize, settledTogether } from './name-size.ts';
import { answerMessages, showProgress } from './scan-messages.ts';
import type { HashedFile, InFlight, ScanState, SettledFile } from './scan-state.ts';
import { filesInFlight, firstState, sampled } from './scan-state.ts';
import { grown, windowOf } from './window.ts';

const FIRST_PAGE = 25;
const PAGE = 200;
/** Outcomes are written down in batches: when this many wait, or after so long. */
const BATCH = 200;
const BATCH_WAIT = '2 seconds';
/** Listing rests while this many outcomes wait to be written. */
const SETTLED_LIMIT = 1_000;

/**
 * One run over one source. Three loops share the state: one lists and hashes ahead, one keeps at most
 * `parallelFiles` children in work, one writes outcomes down. Nothing here grows with the number of files.
 */
export async function scan(given: unknown, carried?: ScanState): Promise<ScanSummary> {
  const input = parseScanInput(given);
  const { workflowId: scanId, firstExecutionRunId: firstRunId } = workflowInfo();
  const state =
    carried ??
    firstState(await openingSteps().openScan({ ...input, firstRunId }), input.parallelFiles, Date.now());

  const window = new Map<string, InFlight>();
  const settled: SettledFile[] = [];
  const busy = { listing: false, starting: 0, settling: 0 };
  let over = false;
  /** One a content put in work by this run, so bounded by the history's length. */
  const running: Promise<void>[] = [];

  answerMessages(state, () => ({
    inFlight: filesInFlight(window.values()),
    inWork: window.size,
    settling: settled.length + busy.settling,
  }));

  const leaving = () => {
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    return continueAsNewSuggested || historyLength > (state.opened.historyLimit ?? Number.POSITIVE_INFINITY);
  };
  const still = () => state.paused !== null || state.draining || leaving();
  const idle = () => !busy.listing && busy.starting === 0 && busy.settling === 0 && settled.length === 0;
  const passDone = () =>
    (state.listingComplete || state.draining) && state.queue.length === 0 && window.size === 0 && idle();
  const readyToLeave = () => leaving() && idle();

  async function listLoop(): Promise<void> {
    const lowWater = () => Math.max(state.parallelFiles, FIRST_PAGE);
    const held = () =>
      nameSize(state.queue) +
      nameSize(settled) +
      [...window.values()].reduce((size, content) => size + nameSize(content.files), 0);
    const wanted = () =>
      !still() &&
      !state.listingComplete &&
      state.queue.length < lowWater() &&
      settled.length < SETTLED_LIMIT &&
      held() < HELD_NAMES;
    for (;;) {
      await condition(() => over || wanted());
      if (over) return;
      busy.listing = true;
      const page = await fileSteps({
        summary: 'list, hash, look up',
        heartbeatMs: state.opened.heartbeatMs,
      }).listPage({
        scanId,
        firstRunId,
        page: state.nextPage,
        source: state.opened.source,
        destination: state.opened.destination,
        profile: state.opened.profile,
        cursor: state.cursor,
        limit: state.listed === 0 ? FIRST_PAGE : PAGE,
        include: input.include,
        exclude: input.exclude,
        maxBytes: input.maxBytes,
        maxInputBytes: state.opened.maxInputBytes,
        watch: input.watch !== false,
      });
      state.listed += page.work.length + page.settled.length;
      state.queue.push(...page.work);
      settled.push(...page.settled);
      state.nextPage += 1;
      state.cursor = page.next;
      state.listingComplete = page.next === null;
      busy.listing = false;
    }
  }

  async function startLoop(): Promise<void> {
    const fits = () => {
      const [next] = state.queue;
      return (
        next !== undefined &&
        (window.has(next.sha256) || window.size < windowOf(state.shortage, state.parallelFiles))
      );
    };
    for (;;) {
      await condition(() => over || (!still() && fits()));
      if (over) return;
      const file = state.queue.shift();
      if (file) putInWork(file);
    }
  }

  /** A content that is in work already runs once: the name waits for the same end. */
  function putInWork(file: HashedFile): void {
    const inWork = window.get(file.sha256);
    if (inWork) {
      inWork.files.push(file);
      return;
    }
    const content: InFlight = { sha256: file.sha256, files: [file], ours: true, lost: file.lost ?? 0 };
    window.set(content.sha256, content);
    running.push(follow(content, startThenEnd(content)));
  }

  async function startThenEnd(content: InFlight): Promise<ChildEnd> {
    busy.starting += 1;
    const started = await startContent(input, state, content).finally(() => {
      busy.starting -= 1;
    });
    if (started.kind === 'started') return endOfStarted(started.result);
    content.ours = false;
    return endOfAttached(state, content.sha256);
  }

  /** Frees the slot on every ending. */
  async function follow(content: InFlight, ending: Promise<ChildEnd>): Promise<void> {
    const end = await ending;
    window.delete(content.sha256);
    if (end.kind === 'result') {
      state.shortage = grown(state.shortage, state.parallelFiles);
      breakCircuit(content, end.result);
    }
    const { settled: ended, again, pause } = afterEnd(content, end);
    settled.push(...ended);
    state.queue.unshift(...again);
    if (pause !== undefined) state.paused = pause;
  }

  /** One kind of failure again and again is no matter of single files: a person looks first. */
  function breakCircuit(content: InFlight, result: FileResult): void {
    if (!content.ours || result.reused) return;
    const ending = result.outcome === 'quarantined' ? (result.class ?? 'unprocessed') : 'ok';
    state.recent = remembered(state.recent, ending, input.failureLimit);
    const reason = tripped(state.recent, input.failureLimit);
    if (reason === null || state.draining) return;
    state.paused = reason;
    state.recent = [];
  }

  function together(files: readonly SettledFile[]): number {
    const { largestBatch } = state.opened;
    return largestBatch === undefined
      ? batchLength(files, BATCH)
      : settledTogether(files, BATCH, largestBatch);
  }

  async function settleLoop(): Promise<void> {
    const nothingMoves = () => window.size === 0 && !busy.listing && (state.queue.length === 0 || still());
    for (;;) {
      await condition(() => over || settled.length > 0);
      if (over) return;
      if (settled.length < BATCH) {
        await condition(() => settled.length >= BATCH || nothingMoves() || leaving(), BATCH_WAIT);
      }
      const files = settled.splice(0, together(settled));
      busy.settling = files.length;
      const { counts, missing } = await fileSteps({
        summary: `deliver and write down ${files.length} ${files.length === 1 ? 'file' : 'files'}`,
        heartbeatMs: state.opened.heartbeatMs,
      }).settleFiles({
        scanId,
        firstRunId,
        part: state.nextPart,
        source: state.opened.source,
        destination: state.opened.destination,
        profile: state.opened.profile,
        files,
        watch: input.watch !== false,
      });
      state.nextPart += 1;
      for (const outcome of OUTCOMES) state.done[outcome] += counts[outcome];
      for (const at of missing) {
        const { settled: given, again } = afterMissing(files[at]);
        settled.push(...given);
        state.queue.unshift(...again);
      }
      state.samples = sampled(state.samples, Date.now(), totalOf(state.done));
      busy.settling = 0;
      showProgress(state, filesInFlight(window.values()));
    }
  }

  for (const content of state.inFlight.splice(0)) {
    window.set(content.sha256, content);
    running.push(follow(content, endOfAttached(state, content.sha256)));
  }
  const broken = watchFor([listLoop(), startLoop(), settleLoop()], running, () => over);

  try {
    for (;;) {
      await Promise.race([broken, condition(() => passDone() || readyToLeave() || dropsQueue())]);
      if (dropsQueue()) {
        // Listed and not begun: a drained scan does not account for them, a later one lists them again.
        state.listed -= state.queue.length;
        state.dropped.push(...state.queue.map((file) => file.name));
        state.queue = [];
        continue;
      }
      if (!passDone()) break;
      if (input.watch === false || state.draining) {
        over = true;
        return await finish();
      }
      await nextPass();
    }
  } catch (error) {
    if (isCancellation(error)) await CancellationScope.nonCancellable(cancelCarried);
    throw error;
  }
  over = true;
  return continueAsNew<typeof scan>(input, { ...state, inFlight: [...window.values()] });

  function dropsQueue(): boolean {
    return state.draining && state.queue.length > 0;
  }

  /** A watching scan lists again after its interval, or at once when it is drained or must continue as new. */
  async function nextPass(): Promise<void> {
    const seconds = input.watch === true ? 30 : Number(input.watch);
    await Promise.race([broken, condition(() => state.draining || leaving(), seconds * 1000)]);
    if (state.draining) return;
    await condition(() => state.paused === null || state.draining);
    state.pass += 1;
    state.cursor = null;
    state.listingComplete = false;
  }

  async function finish(): Promise<ScanSummary> {
    const { opened } = state;
    const step = { summary: 'manifest and summary', heartbeatMs: opened.heartbeatMs };
    const summary = await fileSteps(step).finishScan({
      scanId,
      firstRunId,
      source: opened.source,
      destination: opened.destination,
      profile: opened.profile,
      startedAt: state.startedAt,
      pages: state.nextPage - 1,
      parts: state.nextPart - 1,
      dropped: state.dropped,
      listed: state.listed,
      counts: state.done,
    });
    await fileSteps({ ...step, summary: 'tidy up' }).clearScan({ scanId, destination: opened.destination });
    return summary;
  }

  /** Children of this run are cancelled with it; those of earlier runs must be told. */
  async function cancelCarried(): Promise<void> {
    const ours = [...window.values()].filter((content) => content.ours);
    await Promise.allSettled(
      ours.map((content) =>
        getExternalWorkflowHandle(fileWorkflowId(content.sha256, state.opened.profile.fingerprint)).cancel(),
      ),
    );
    await Promise.allSettled(running);
  }
}

/** Rejects as soon as a loop or a follower does, unless the scan is over; never resolves. */
function watchFor(loops: Promise<void>[], running: Promise<void>[], over: () => boolean): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (error: unknown) => {
      if (!over()) reject(error);
    };
    for (const loop of loops) loop.catch(fail);
    const push = running.push.bind(running);
    for (const follower of running) follower.catch(fail);
    running.push = (...followers) => {
      for (const follower of followers) follower.catch(fail);
      return push(...followers);
    };
  });
}
