import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { DriverError } from '../drivers/errors.ts';
import { toFileName } from '../drivers/file-name.ts';
import type { ListedFile, Source } from '../drivers/ports.ts';
import type { SettledFile } from '../workflows/scan-state.ts';

/** A file that was read. `beganAt`: when, in milliseconds since the epoch. */
export type ReadFile = { file: ListedFile; sha256: string; beganAt: number };

const HASHES_AT_ONCE = 4;

/** Reads each: its content's hash, or the outcome of a file that can't be read as it was listed. In the given order. */
export async function hashFiles(
  source: Pick<Source, 'open'>,
  files: readonly ListedFile[],
  heartbeat: (details: unknown) => void,
  signal: AbortSignal,
): Promise<{ read: ReadFile[]; settled: SettledFile[] }> {
  const results: (ReadFile | SettledFile)[] = [];
  let hashed = 0;
  const next = files.entries();
  const hashLoop = async () => {
    for (const [at, file] of next) {
      signal.throwIfAborted();
      const beganAt = Date.now();
      const result = await hashOrOutcome(source, file, () => heartbeat({ hashed }), signal);
      results[at] = typeof result === 'string' ? { file, sha256: result, beganAt } : result;
      hashed += 1;
    }
  };
  await Promise.all(Array.from({ length: HASHES_AT_ONCE }, hashLoop));
  return {
    read: results.filter((result) => 'beganAt' in result),
    settled: results.filter((result) => 'outcome' in result),
  };
}

async function hashOrOutcome(
  source: Pick<Source, 'open'>,
  { name, size, version }: ListedFile,
  heartbeat: () => void,
  signal: AbortSignal,
): Promise<string | SettledFile> {
  try {
    const { body } = await source.open(name, version);
    const hash = createHash('sha256');
    await pipeline(
      body,
      async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of chunks) {
          hash.update(chunk);
          heartbeat();
        }
      },
      { signal },
    );
    return hash.digest('hex');
  } catch (error) {
    const outcome = error instanceof DriverError ? MOVED[error.code] : undefined;
    if (outcome === undefined || !(error instanceof DriverError)) throw error;
    return { name: toFileName(name), size, version, outcome, reason: error.message };
  }
}

const MOVED: Partial<Record<string, 'gone' | 'changed' | 'unreadable'>> = {
  'source.gone': 'gone',
  'source.changed': 'changed',
  'source.forbidden': 'unreadable',
};
