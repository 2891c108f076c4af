import { createHash } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { scanKey } from '../activities/keys.ts';
import type { Destination } from '../drivers/ports.ts';
import type { FileName } from '../workflows/contract.ts';
import { OUTCOMES } from '../workflows/contract.ts';

/** The half of a destination that can't change it. */
export type ReadOnly = Pick<Destination, 'read' | 'list'>;

const lineSchema = z
  .object({
    path: z.string(),
    pathBase64: z.base64().optional(),
    size: z.number(),
    sha256: z.string().optional(),
    outcome: z.enum(OUTCOMES),
    reason: z.string().optional(),
    attempts: z.number(),
    pod: z.string().optional(),
    receipt: z.string().optional(),
    sameBytes: z.boolean().optional(),
  })
  .transform(({ path, pathBase64, ...line }) => ({
    ...line,
    name: (pathBase64 === undefined ? { path } : { path, pathBase64 }) as FileName,
  }));
/** What the command line needs of a line of manifest.jsonl. */
export type ManifestEntry = z.infer<typeof lineSchema>;

const summarySchema = z.object({
  scan: z.string(),
  listed: z.number(),
  outcomes: z.record(z.enum(OUTCOMES), z.number()),
  profile: z.object({ name: z.string(), fingerprint: z.string() }),
  manifest: z.object({ key: z.string(), lines: z.number(), sha256: z.string() }),
});
export type WrittenSummary = z.infer<typeof summarySchema>;

/** `scans/<scan>/summary.json`, or null when there is none. Throws when it is not one. */
export async function readSummary(destination: ReadOnly, scan: string): Promise<WrittenSummary | null> {
  const found = await destination.read(scanKey(scan, 'summary.json'));
  return found && summarySchema.parse(JSON.parse(await text(found.body)));
}

/**
 * The lines of `scans/<scan>/manifest.jsonl`, one at a time; afterwards returns the sha256 of what was read,
 * or null when there is no manifest. Throws with the line's number when one can't be read.
 */
export async function* readManifest(
  destination: ReadOnly,
  scan: string,
): AsyncGenerator<ManifestEntry, string | null> {
  const found = await destination.read(scanKey(scan, 'manifest.jsonl'));
  if (found === null) return null;
  const hash = createHash('sha256');
  let number = 0;
  let rest = Buffer.alloc(0);
  // Split at newline bytes, not by node:readline, which also splits at U+2028 inside a name.
  for await (const chunk of found.body) {
    hash.update(chunk);
    rest = Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
      number += 1;
      yield parseLine(rest.toString('utf8', 0, end), number);
      rest = rest.subarray(end + 1);
    }
  }
  if (rest.length > 0) throw new Error(`The manifest ends in the middle of line ${number + 1}.`);
  return hash.digest('hex');
}

function parseLine(line: string, number: number): ManifestEntry {
  try {
    return lineSchema.parse(JSON.parse(line));
  } catch (cause) {
    throw new Error(`Line ${number} of the manifest can't be read.`, { cause });
  }
}
