/** The scan's books: manifest parts as they are read back, and who is missing when they do not balance. */
import { hash } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { ApplicationFailure } from '@temporalio/common';
import { toBytes } from '../drivers/file-name.ts';
import type { Destination } from '../drivers/ports.ts';
import type { FileName, Outcome } from '../workflows/contract.ts';
import { OUTCOMES } from '../workflows/contract.ts';

/** One line of manifest.jsonl. */
export type ManifestLine = {
  path: string;
  pathBase64?: string | undefined;
  size: number;
  sha256?: string | undefined;
  outcome: Outcome;
  reason?: string | undefined;
  attempts: number;
  pod?: string | undefined;
  receipt?: string | undefined;
  /** The engine gave the same bytes back: it found nothing to remove. */
  sameBytes?: boolean | undefined;
  engineSeconds?: number | undefined;
  settledAt: string;
};

/** The text of one part. A part that is not there is a gap. */
export async function readPart(destination: Destination, key: string): Promise<string> {
  const found = await destination.read(key);
  if (found === null) throw gap(`the manifest part ${key} is missing`);
  return text(found.body);
}

/**
 * A part is written once. A try before this one may have written it and found another content missing: then its
 * lines are the ones that count.
 */
export async function writePart(
  destination: Destination,
  key: string,
  lines: ManifestLine[],
): Promise<ManifestLine[]> {
  const part = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  if (await destination.create(key, part)) return lines;
  return manifestLines(await readPart(destination, key));
}

/** A line that is none of ours is a gap. */
export function manifestLines(part: string): ManifestLine[] {
  return part
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const parsed = JSON.parse(line) as ManifestLine;
      if (OUTCOMES.includes(parsed.outcome)) return parsed;
      throw gap(`a manifest line has the outcome ${JSON.stringify(parsed.outcome)}`);
    });
}

export function gap(what: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'AccountingGap',
    nonRetryable: true,
    message: `The scan's books do not balance: ${what}. This is a defect: keep scans/ and report it.`,
  });
}

/**
 * The sum of the names' hashes, modulo 2^128: two bags of names that are not the same have, but for odds of
 * 1 in 10^38, another sum, in whatever order they come and however often a name stands in them.
 */
export class NameSum {
  #sum = 0n;
  count = 0;

  add(name: FileName): void {
    this.#take(name, 1n);
    this.count += 1;
  }

  remove(name: FileName): void {
    this.#take(name, -1n);
    this.count -= 1;
  }

  equals(other: NameSum): boolean {
    return this.#sum === other.#sum && this.count === other.count;
  }

  #take(name: FileName, sign: bigint): void {
    const addend = BigInt(`0x${nameHash(name).toString('hex', 0, 16)}`);
    this.#sum = BigInt.asUintN(128, this.#sum + sign * addend);
  }
}

/** Names that one pass over both books holds in memory. */
const NAMES_AT_ONCE = 100_000;
/** Names that an error's message can hold. */
const SHOWN = 20;

/**
 * Which names were listed and have no line, or have more lines than listings. Reads both books again, as often
 * as it takes to hold no more than a share of the names at a time.
 */
export async function namesAtOdds(
  listed: () => AsyncIterable<FileName>,
  settled: () => AsyncIterable<FileName>,
  count: number,
): Promise<{ lost: string[]; surplus: string[] }> {
  const lost: string[] = [];
  const surplus: string[] = [];
  const passes = Math.max(1, Math.ceil(count / NAMES_AT_ONCE));
  for (let pass = 0; pass < passes && lost.length + surplus.length < SHOWN; pass++) {
    const balance = new Map<string, { name: string; owed: number }>();
    const book = async (names: AsyncIterable<FileName>, owed: number) => {
      for await (const name of names) {
        const digest = nameHash(name);
        if (digest.readUInt32BE(28) % passes !== pass) continue;
        const key = digest.toString('base64');
        const before = balance.get(key)?.owed ?? 0;
        if (before + owed === 0) balance.delete(key);
        else balance.set(key, { name: name.path, owed: before + owed });
      }
    };
    await book(listed(), 1);
    await book(settled(), -1);
    for (const { name, owed } of balance.values()) (owed > 0 ? lost : surplus).push(name);
  }
  return { lost: lost.slice(0, SHOWN), surplus: surplus.slice(0, SHOWN) };
}

function nameHash(name: FileName): Buffer {
  return hash('sha256', toBytes(name), 'buffer');
}
