import { z } from 'zod';
import type { ScanClient } from '../cli/scan-client.ts';
import { OUTCOMES, type Outcome } from '../workflows/contract.ts';

const summarySchema = z.object({ outcomes: z.record(z.enum(OUTCOMES), z.number()) });

/** Seconds from the start of a scan until its result. Rejects unless all of `files` files have the outcome `expected`. */
export async function timedScan(
  scans: Pick<ScanClient, 'start' | 'result'>,
  { id, input, files, expected }: { id: string; input: object; files: number; expected: Outcome },
): Promise<number> {
  const began = performance.now();
  await scans.start({ id, input });
  const { outcomes } = summarySchema.parse(await scans.result(id));
  if (outcomes[expected] !== files)
    throw new Error(`Not all of ${files} files are ${expected}: ${JSON.stringify(outcomes)}.`);
  return (performance.now() - began) / 1000;
}
