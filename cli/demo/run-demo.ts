import { setTimeout as sleep } from 'node:timers/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { run } from '../../cluster/command.ts';
import { OperatorError } from '../../cluster/operator-error.ts';
import type { ScanSummary } from '../../workflows/contract.ts';
import { DEFAULT_TASK_QUEUE, taskQueues } from '../../workflows/contract.ts';
import type { ReadOnly } from '../manifest.ts';
import type { ScanClient } from '../scan-client.ts';
import { timeStamp } from '../scan-commands.ts';
import { createDisplay } from './display.ts';
import { finalReport } from './final-report.ts';
import { followScan, NobodyAnswers } from './follow-scan.ts';
import { placeDocuments } from './place-documents.ts';
import { demoPlaces, type Places } from './places.ts';
import { shownCommand, startArguments } from './start-command.ts';
import { takeStock } from './take-stock.ts';

const WORKER_WITHIN_MS = 30_000;
const PATIENCE_MS = 5 * 60_000;

/** What the demo needs from outside. */
export type DemoSurroundings = {
  given: { SOURCE?: string | undefined; DESTINATION?: string | undefined };
  /** What SOURCE and DESTINATION are relative to, and where the stack keeps its state. */
  folder: string;
  state: string;
  scans: Pick<ScanClient, 'progress' | 'result' | 'hasWorker'>;
  /** File pods of this installation that have not ended. */
  pods(): Promise<number>;
  destination(url: string): ReadOnly;
  s3: S3Client;
  /** A scan's page in the Web UI. */
  page(scan: string): string;
  out: NodeJS.WriteStream;
};

/** One scan, from its documents to its table. true when every listed file has exactly one outcome. */
export async function runDemo(around: DemoSurroundings): Promise<boolean> {
  const say = (...lines: string[]) => around.out.write(lines.map((line) => `${line}\n`).join(''));
  const places = demoPlaces(around.given, around.folder, around.state);
  await requireWorker(around.scans);
  say('', await introduction(places), '');

  const scan = `demo-${timeStamp(new Date())}`;
  const { source, destination } = places;
  const args = startArguments({ id: scan, taskQueue: DEFAULT_TASK_QUEUE, input: { source, destination } });
  say('A scan is a Temporal workflow. This starts it:', ...shownCommand(args).map((line) => `  ${line}`));
  const began = performance.now();
  await start(args);
  const page = around.page(scan);
  say('', 'Each content is a workflow of its own. To look at while they run:', `  ${page}`, '');

  await follow(around, scan, page);
  const seconds = (performance.now() - began) / 1000;
  const stock = await takeStock(around, places, scan);
  say(...finalReport({ ...stock, seconds, scan, page, destination, cwd: around.folder }));
  return stock.problems.length === 0;
}

/** Right after its start a worker may not have asked for work yet. */
async function requireWorker(scans: Pick<ScanClient, 'hasWorker'>): Promise<void> {
  const until = Date.now() + WORKER_WITHIN_MS;
  const queues = Object.values(taskQueues(DEFAULT_TASK_QUEUE));
  while (!(await Promise.all(queues.map(scans.hasWorker))).every(Boolean)) {
    if (Date.now() > until) {
      throw new OperatorError('No worker asks for work: see make status and .pristine/log/worker.log.');
    }
    await sleep(500);
  }
}

async function introduction(places: Places): Promise<string> {
  if (places.documents === undefined) return 'Your files: each new content is rebuilt in a pod of its own.';
  const count = await placeDocuments(places.documents);
  return `${count} demo documents: each new content is rebuilt in a pod of its own.`;
}

async function start(args: readonly string[]): Promise<void> {
  const { code, stderr } = await run('temporal', args);
  if (code !== 0) throw new OperatorError(`temporal workflow start failed: ${stderr.trim()}`);
}

async function follow(around: DemoSurroundings, scan: string, page: string): Promise<void> {
  const display = createDisplay(around.out);
  const interrupted = () => {
    display.stop();
    around.out.write(
      `\nOnly the display ends here; the scan goes on.\n  See it: ${page}\n` +
        `  Stop it: . .pristine/env; temporal workflow cancel --workflow-id ${scan}\n`,
    );
    process.exit(130);
  };
  process.once('SIGINT', interrupted);
  const running = {
    progress: () => around.scans.progress(scan),
    pods: around.pods,
    result: () => around.scans.result(scan),
  };
  try {
    const pace = { everyMs: 1_000, patienceMs: PATIENCE_MS };
    // The scan is ours and has just ended: its result has the shape of the contract.
    display.stop((await followScan(running, display, pace)) as ScanSummary);
  } catch (error) {
    display.stop();
    if (error instanceof NobodyAnswers) {
      throw new OperatorError(`${error.message}: see make status. The scan goes on once a worker is back.`);
    }
    throw new OperatorError(
      `The scan failed. ${error instanceof Error ? error.message : error}\n  See ${page}`,
    );
  } finally {
    process.off('SIGINT', interrupted);
  }
}
