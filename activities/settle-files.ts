import { EVENT } from '../drivers/events.ts';
import { toBytes } from '../drivers/file-name.ts';
import type { Destination } from '../drivers/ports.ts';
import type { FileName, OutcomeCounts, ProfileRef } from '../workflows/contract.ts';
import { noOutcomes } from '../workflows/contract.ts';
import type { SettledFile } from '../workflows/scan-state.ts';
import type { Dependencies } from './dependencies.ts';
import { partKey, receiptKey } from './keys.ts';
import type { ManifestLine } from './manifest.ts';
import { writePart } from './manifest.ts';
import { markOf } from './mark-of.ts';
import { lineOf, settleFile } from './settle-file.ts';
import { contentOf, type Delivered, lookAtDeliveries, noteDelivered, stands } from './standing-deliveries.ts';

export type SettleFilesInput = {
  scanId: string;
  /** First run of this scan's start: manifest parts of two starts never mix. */
  firstRunId: string;
  part: number;
  /** Without it nothing is noted: workflows of older workers do not say it. */
  source?: string | undefined;
  destination: string;
  profile: ProfileRef;
  files: SettledFile[];
  watch: boolean;
};

/** `missing`: places in `files` whose recorded content is not there any more; they are in no part. */
export type Settled = { counts: OutcomeCounts; missing: number[] };

/** Files that are looked at before the first of them is delivered: the looks are to be fresh. */
const LOOKED_AT_ONCE = 200;
const DELIVERIES_AT_ONCE = 8;

/**
 * Gives each file what its outcome says: the rebuilt bytes under tree/, the report under reports/, or
 * nothing there; then writes one manifest part. Repeating it writes the same again.
 */
export async function settleFiles(
  deps: Dependencies,
  input: SettleFilesInput,
  heartbeat: () => void,
): Promise<Settled> {
  const destination = deps.openDestination(input.destination);
  const lines: (ManifestLine | 'missing')[] = [];
  for (let at = 0; at < input.files.length; at += LOOKED_AT_ONCE) {
    const some = input.files.slice(at, at + LOOKED_AT_ONCE);
    lines.push(...(await deliverSome(deps, { ...input, files: some }, destination, heartbeat)));
  }

  await deps.reached?.('files.delivered');
  const written = await writePart(
    destination,
    partKey(input.scanId, input.firstRunId, input.part),
    lines.filter((line) => line !== 'missing'),
  );
  await deps.reached?.('files.written');
  const counts = noOutcomes();
  for (const { outcome, sha256, reason, attempts } of written) {
    counts[outcome] += 1;
    deps.logger.info(
      { event: EVENT.fileSettled, scan: input.scanId, outcome, sha256, reason, attempts },
      'file settled',
    );
  }
  const outcomes = new Map(written.map((line) => [nameKey(line), line.outcome]));
  const missing = input.files.flatMap((file, at) => (outcomes.has(nameKey(file.name)) ? [] : [at]));
  if (input.watch) {
    const marks = input.files.flatMap((file) => {
      const { name, version } = file;
      const outcome = outcomes.get(nameKey(name));
      const mark = outcome && markOf(file, outcome);
      return mark && version !== undefined ? [{ name: toBytes(name), version, ...mark }] : [];
    });
    await deps.seen.mark(input.scanId, marks);
  }
  return { counts, missing };
}

async function deliverSome(
  deps: Dependencies,
  input: SettleFilesInput,
  destination: Destination,
  heartbeat: () => void,
): Promise<(ManifestLine | 'missing')[]> {
  const { files } = input;
  const looks = await lookAtDeliveries(destination, files, input.profile);
  const delivered: Delivered[] = [];
  const lines = new Array<ManifestLine | 'missing'>(files.length);
  let next = 0;
  const deliverLoop = async () => {
    for (let at = next++; at < files.length; at = next++) {
      const file = files[at];
      if (!file) continue;
      if (stands(file, looks.get(file), input.profile)) lines[at] = standingLine(file, input.profile);
      else {
        const settled = await settleFile(deps, input, destination, file);
        lines[at] = settled === 'missing' ? settled : settled.line;
        if (settled !== 'missing' && settled.delivered) delivered.push(settled.delivered);
      }
      heartbeat();
    }
  };
  await Promise.all(Array.from({ length: DELIVERIES_AT_ONCE }, deliverLoop));

  await noteDelivered(deps, { ...input, source: input.source }, destination, looks, delivered);
  return lines;
}

function nameKey({ path, pathBase64 }: FileName): string {
  return pathBase64 === undefined ? `t${path}` : `b${pathBase64}`;
}

/** Its pod and times are in the receipt, which is not read again. */
function standingLine(file: SettledFile, profile: ProfileRef): ManifestLine {
  const receipt = receiptKey(contentOf(file, profile));
  return { ...lineOf(file), receipt, sameBytes: file.memory?.delivery?.sameBytes };
}
