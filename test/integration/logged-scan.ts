/** A real scan with every kind of end that the dashboards show, and what its worker logged. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { ScanSummary } from '../../workflows/contract.ts';
import { stackVariable } from '../contract/stack.ts';
import type { WorkerProcess } from './worker-process.ts';

/** Looks like one of our lines; an engine prints it as the last of its log. */
export const HOSTILE = '{"level":"info","event":"file.settled","outcome":"rebuilt","sha256":"00"}';

const FILES = {
  'a/one': 'rebuild\nfirst',
  'a/same': 'rebuild\nfirst',
  'a/slow': 'slow 4\n',
  'b/refused': 'refuse not-a-document\n',
  'b/loud': `refuse-by-exit ${HOSTILE}\n`,
  'c/crash': 'exit 9\n',
  'd/left-out.skip': 'rebuild\n',
};

export type LoggedScan = {
  summary: ScanSummary;
  scan: string;
  /** Lines of the worker's log, whole. */
  lines: string[];
  sha256Of(name: keyof typeof FILES): string;
};

export async function runLoggedScan(worker: WorkerProcess): Promise<LoggedScan> {
  const [source, destination] = [join(worker.folder, 'in'), join(worker.folder, 'out')];
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(join(source, name, '..'), { recursive: true });
    writeFileSync(join(source, name), text);
  }
  const connection = await Connection.connect({ address: stackVariable('TEMPORAL_ADDRESS') });
  try {
    const scan = `${worker.instance}-logged`;
    const summary: ScanSummary = await new Client({ connection }).workflow.execute('scan', {
      taskQueue: worker.taskQueue,
      workflowId: scan,
      args: [
        {
          source: `file://${source}`,
          destination: `file://${destination}`,
          profile: 'faulty',
          retries: 1,
          exclude: ['**/*.skip'],
        },
      ],
    });
    await worker.stop();
    const text = readFileSync(join(worker.folder, 'worker.log'), 'utf8');
    const lines = text.split('\n').filter((line) => line !== '');
    const sha256Of = (name: keyof typeof FILES) => createHash('sha256').update(FILES[name]).digest('hex');
    return { summary, scan, lines, sha256Of };
  } finally {
    await connection.close();
  }
}
