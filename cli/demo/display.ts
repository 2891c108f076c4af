import cliProgress from 'cli-progress';
import type { ScanSummary } from '../../workflows/contract.ts';
import { totalOf } from '../../workflows/contract.ts';
import { printableText } from '../printable.ts';
import { outcomeWords, paceWords, progressLine } from '../progress-text.ts';
import type { Display } from './follow-scan.ts';

/** Time between two lines where nothing but the pace changed. */
const PLAIN_EVERY_MS = 5_000;

export type ScanDisplay = Display & {
  /** Ends the display; with a result, at the full count. */
  stop(summary?: Pick<ScanSummary, 'listed'>): void;
};

/** A bar on a terminal, a line now and then anywhere else. */
export function createDisplay(out: NodeJS.WriteStream): ScanDisplay {
  return out.isTTY ? bar(out) : plainDisplay((line) => out.write(`${line}\n`), Date.now);
}

function bar(out: NodeJS.WriteStream): ScanDisplay {
  const shown = new cliProgress.SingleBar({
    stream: out,
    format: '  {bar} {value}/{total}  {pace}  {words}',
    barsize: 18,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    linewrap: false,
    gracefulExit: false,
    emptyOnZero: true,
  });
  shown.start(0, 0, { pace: '', words: 'waiting for the first files' });
  return {
    update(progress, pods) {
      shown.setTotal(progress.listed);
      const words = printableText(progress.reason ?? (outcomeWords(progress) || progress.state));
      shown.update(totalOf(progress.done), { pace: paceWords(progress, pods), words });
    },
    silent(seconds) {
      if (seconds > 5) shown.update({ words: `the worker has not answered for ${seconds} s` });
    },
    stop(summary) {
      if (summary) {
        shown.setTotal(summary.listed);
        shown.update(summary.listed, { pace: 'done', words: '' });
      }
      shown.stop();
    },
  };
}

/** A line when something changed, and now and then when only the pace did. `now` in milliseconds. */
export function plainDisplay(write: (line: string) => void, now: () => number): ScanDisplay {
  let last = '';
  let at = 0;
  const say = (text: string, key: string) => {
    if (key === last && now() - at < PLAIN_EVERY_MS) return;
    last = key;
    at = now();
    write(`  ${text}`);
  };
  return {
    update: (progress, pods) =>
      say(progressLine(progress, pods), `${totalOf(progress.done)} ${progress.reason ?? ''}`),
    silent: (seconds) => {
      if (seconds > 5) say(`the worker has not answered for ${seconds} s`, 'silent');
    },
    stop() {},
  };
}
