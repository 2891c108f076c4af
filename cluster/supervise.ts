import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, openSync, realpathSync, renameSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Layout } from './layout.ts';
import { OperatorError } from './operator-error.ts';
import type { Part } from './part.ts';
import { readRecord, removeRecord, writeRecord } from './pid-file.ts';
import { assertFree, type Ports } from './ports.ts';
import { endProcess, identify, isAlive } from './process-identity.ts';

const largestLog = 50 * 1024 * 1024;
// A process that is alive and does not answer may have been started a moment ago by an `up` that was interrupted.
const benefitOfDoubtMs = 15_000;

/** What was found and done: it ran and was well; it did not run; it was unwell or its configuration had changed. */
export type Ensured = 'kept' | 'started' | 'restarted';

/** Makes sure that the part runs with its present configuration and is healthy. Throws an OperatorError if it is not. */
export async function ensureRunning(layout: Layout, ports: Ports, part: Part): Promise<Ensured> {
  const fingerprint = fingerprintOf(part);
  const record = readRecord(layout.run, part.name);
  const alive = record !== undefined && isAlive(record);
  if (alive && record.fingerprint === fingerprint) {
    const deadline = Date.now() + benefitOfDoubtMs;
    if (await becomesHealthy(part, () => isAlive(record) && Date.now() < deadline)) return 'kept';
  }
  await stopPart(layout, part.name);
  await assertFree(part.name, part.listens, ports);
  await start(layout, part, fingerprint);
  return record === undefined ? 'started' : 'restarted';
}

/** Ends the process noted under that name, if it still is the one we started, and waits until it is gone. */
export async function stopPart(layout: Layout, name: string): Promise<boolean> {
  const record = readRecord(layout.run, name);
  const alive = record !== undefined && isAlive(record);
  if (alive) await endProcess(record, record.stopWithinMs, record.reach);
  removeRecord(layout.run, name);
  return alive;
}

/** Whether the process noted under that name still runs. */
export function isRunning(layout: Layout, name: string): boolean {
  const record = readRecord(layout.run, name);
  return record !== undefined && isAlive(record);
}

/** Starts a process that outlives this one, with its output in its log file, and notes it. */
export function launch(layout: Layout, part: Omit<Part, 'healthy'>, fingerprint: string): Promise<void> {
  const log = openLog(layout, part.name);
  const env = { ...process.env, ...part.env };
  for (const name of part.unset ?? []) delete env[name];
  return new Promise((resolve, reject) => {
    const child = spawn(part.command, part.args, {
      cwd: layout.repo,
      env,
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    child.once('error', (cause) =>
      reject(new OperatorError(`${part.name} can't be started: ${cause.message}.`)),
    );
    child.once('spawn', () => {
      const identity = child.pid === undefined ? undefined : identify(child.pid);
      child.unref();
      if (identity === undefined) return reject(endedEarly(layout, part.name));
      const { stopWithinMs, reach = 'process' } = part;
      writeRecord(layout.run, part.name, {
        ...identity,
        fingerprint,
        startedAt: Date.now(),
        stopWithinMs,
        reach,
      });
      resolve();
    });
  });
}

async function start(layout: Layout, part: Part, fingerprint: string): Promise<void> {
  await launch(layout, part, fingerprint);
  const deadline = Date.now() + part.readyWithinMs;
  const alive = (): boolean => isRunning(layout, part.name);
  if (await becomesHealthy(part, () => alive() && Date.now() < deadline)) return;
  if (!alive()) throw endedEarly(layout, part.name);
  throw new OperatorError(
    `${part.name} runs but was not ready within ${part.readyWithinMs / 1000} s: its log is ${logName(layout, part.name)}.`,
  );
}

/** Polls the part's health while `goOn` says so. Healthy counts only if the process is still alive afterwards. */
async function becomesHealthy(part: Part, goOn: () => boolean): Promise<boolean> {
  while (goOn()) {
    if ((await part.healthy()) && goOn()) return true;
    await sleep(100);
  }
  return false;
}

function endedEarly(layout: Layout, name: string): OperatorError {
  return new OperatorError(`${name} ended while starting: its log is ${logName(layout, name)}.`);
}

function logName(layout: Layout, name: string): string {
  return relative(layout.repo, join(layout.log, `${name}.log`));
}

/** The log goes on from run to run; a large one is put aside first. */
function openLog(layout: Layout, name: string): number {
  const file = join(layout.log, `${name}.log`);
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > largestLog) renameSync(file, `${file}.1`);
  return openSync(file, 'a');
}

function fingerprintOf(part: Part): string {
  const { args, env = {}, configuration = [] } = part;
  const hashed = JSON.stringify([realpathSync(part.command), args, env, configuration]);
  return createHash('sha256').update(hashed).digest('hex').slice(0, 16);
}
