/** The least that anybody does for files that are known: list them, hash them, ask the index, copy the results. */
import { spawnSync } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessedIndex } from '../drivers/ports.ts';
import type { BenchDocument } from './documents.ts';
import { median } from './figures.ts';

/** Seconds of each thing alone. */
export type Least = {
  /** `find -printf` of path, size, time and inode. */
  find: number;
  /** `sha256sum` of all, in one process. */
  hash: number;
  /** The index asked about all, a page at a time. */
  lookUp: number;
  /** `cp -r` of what these files' results are, and `sync -f`. */
  copy: number;
};

/** Hashes that one question to the index holds: as many as a page of a scan. */
const PAGE = 200;
const ROUNDS = 5;

/** The median of some rounds each. `results` is the folder that holds what was delivered for these files. */
export async function leastWork(
  folder: string,
  documents: readonly BenchDocument[],
  { index, fingerprint, results }: { index: ProcessedIndex; fingerprint: string; results: string },
): Promise<Least> {
  const copies = join(folder, '..', 'copies');
  return {
    find: await medianOf(() => shell('find "$1" -type f -printf "%P\\t%s\\t%T@\\t%i\\n"', folder)),
    hash: await medianOf(() => shell('find "$1" -type f -print0 | xargs -0 sha256sum', folder)),
    lookUp: await medianOf(async () => {
      for (let at = 0; at < documents.length; at += PAGE) {
        const page = documents.slice(at, at + PAGE).map(({ sha256 }) => sha256);
        const found = await index.lookup(fingerprint, page);
        if (found.includes(null)) throw new Error('The index does not know a content that was put into it.');
      }
    }),
    copy: await medianOf(
      () => shell('cp -r "$1"/. "$2" && sync -f "$2"', results, copies),
      () => mkdir(copies).then(() => undefined),
      () => rm(copies, { recursive: true }),
    ),
  };
}

/** What is prepared before and tidied up after each round is not counted. */
async function medianOf(
  work: () => void | Promise<void>,
  prepare?: () => Promise<void>,
  tidy?: () => Promise<void>,
): Promise<number> {
  const seconds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await prepare?.();
    const began = performance.now();
    await work();
    seconds.push((performance.now() - began) / 1000);
    await tidy?.();
  }
  return median(seconds);
}

function shell(script: string, ...args: string[]): void {
  const ended = spawnSync('sh', ['-c', script, 'sh', ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  if (ended.status !== 0) throw new Error(`${script}: ${String(ended.stderr)}`);
}
