import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { ProcessIdentity, Reach } from './process-identity.ts';
import { writeWholeFile } from './whole-file.ts';

const recordSchema = z.object({
  pid: z.number().int().positive(),
  startTime: z.string(),
  bootId: z.string(),
  /** Hash of the command line and configuration that it was started with. */
  fingerprint: z.string(),
  /** Milliseconds since the epoch. */
  startedAt: z.number(),
  stopWithinMs: z.number(),
  reach: z.enum(['process', 'group']),
});

/** What is known about a process that we started. */
export type ProcessRecord = ProcessIdentity & {
  readonly fingerprint: string;
  readonly startedAt: number;
  readonly stopWithinMs: number;
  readonly reach: Reach;
};

/** Notes a started process: `<name>.json` for us, and `<name>.pid` with the bare number for people and scripts. */
export function writeRecord(run: string, name: string, record: ProcessRecord): void {
  writeWholeFile(join(run, `${name}.json`), `${JSON.stringify(record)}\n`);
  writeWholeFile(join(run, `${name}.pid`), `${record.pid}\n`, 0o644);
}

/** The record of that name; undefined when there is none that can be read. */
export function readRecord(run: string, name: string): ProcessRecord | undefined {
  try {
    const parsed = recordSchema.safeParse(JSON.parse(readFileSync(join(run, `${name}.json`), 'utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** Forgets a process that is gone. */
export function removeRecord(run: string, name: string): void {
  rmSync(join(run, `${name}.json`), { force: true });
  rmSync(join(run, `${name}.pid`), { force: true });
}

/** The names of all records. */
export function recordNames(run: string): string[] {
  try {
    return readdirSync(run)
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.slice(0, -'.json'.length));
  } catch {
    return [];
  }
}
