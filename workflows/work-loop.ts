import { condition } from '@temporalio/workflow';
import { afterEnd } from './after-end.ts';
import type { ChildEnd } from './child-end.ts';
import { remembered, tripped } from './circuit-breaker.ts';
import { endOfAttached, endOfStarted, startContent } from './content-child.ts';
import type { FileResult } from './contract.ts';
import { type ScanRun, still } from './scan-run.ts';
import type { HashedFile, InFlight } from './scan-state.ts';
import { grown, windowOf } from './window.ts';

/** Keeps as many contents in work as may be. */
export async function workLoop(run: ScanRun): Promise<void> {
  const { state } = run;
  for (;;) {
    await condition(() => run.over || (!still(run) && fits(run)));
    if (run.over) return;
    const file = state.queue.shift();
    if (file) putInWork(run, file);
  }
}

function fits({ state, window }: ScanRun): boolean {
  const [next] = state.queue;
  return (
    next !== undefined &&
    (window.has(next.sha256) || window.size < windowOf(state.shortage, state.parallelFiles))
  );
}

/** A content that is in work already runs once: the name waits for the same end. */
function putInWork(run: ScanRun, file: HashedFile): void {
  const inWork = run.window.get(file.sha256);
  if (inWork) {
    inWork.files.push(file);
    return;
  }
  const content: InFlight = { sha256: file.sha256, files: [file], ours: true, lost: file.lost ?? 0 };
  follow(run, content, startThenEnd(run, content));
}

/** One that an earlier run had put in work. */
export function takeOver(run: ScanRun, content: InFlight): void {
  follow(run, content, endOfAttached(run.state, content.sha256));
}

async function startThenEnd({ input, state, busy }: ScanRun, content: InFlight): Promise<ChildEnd> {
  busy.starting += 1;
  const started = await startContent(input, state, content).finally(() => {
    busy.starting -= 1;
  });
  if (started.kind === 'started') return endOfStarted(started.result);
  content.ours = false;
  return endOfAttached(state, content.sha256);
}

function follow(run: ScanRun, content: InFlight, ending: Promise<ChildEnd>): void {
  run.window.set(content.sha256, content);
  const followed = settleAtEnd(run, content, ending);
  followed.catch(run.fail);
  run.followers.push(followed);
}

/** Frees the slot on every ending. */
async function settleAtEnd(run: ScanRun, content: InFlight, ending: Promise<ChildEnd>): Promise<void> {
  const { state, window, settled } = run;
  const end = await ending;
  window.delete(content.sha256);
  if (end.kind === 'result') {
    state.shortage = grown(state.shortage, state.parallelFiles);
    breakCircuit(run, content, end.result);
  }
  const { settled: ended, again, pause } = afterEnd(content, end);
  settled.push(...ended);
  state.queue.unshift(...again);
  if (pause !== undefined) state.paused = pause;
}

/** One kind of failure again and again is no matter of single files: a person looks first. */
function breakCircuit(run: ScanRun, content: InFlight, result: FileResult): void {
  const { input, state, unprocessed } = run;
  if (!content.ours || result.reused) return;
  const ending = result.outcome === 'quarantined' ? (result.class ?? 'unprocessed') : 'ok';
  // A watching scan tries these again in each pass: one content is no share of all.
  if (ending === 'unprocessed' && unprocessed.has(content.sha256)) return;
  if (ending === 'unprocessed') unprocessed.add(content.sha256);
  state.recent = remembered(state.recent, ending, input.failureLimit);
  const reason = tripped(state.recent, input.failureLimit);
  if (reason === null || state.draining) return;
  state.paused = reason;
  state.recent = [];
}
