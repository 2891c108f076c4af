import { DriverError } from '../drivers/errors.ts';
import { EVENT } from '../drivers/events.ts';
import { toBytes } from '../drivers/file-name.ts';
import type { Destination } from '../drivers/ports.ts';
import type { FileName, OutcomeCounts, ProfileRef } from '../workflows/contract.ts';
import { noOutcomes } from '../workflows/contract.ts';
import type { SettledFile } from '../workflows/scan-state.ts';
import type { Dependencies } from './dependencies.ts';
import { partKey, receiptKey, reportKey, treeKey } from './keys.ts';
import type { ManifestLine } from './manifest.ts';
import { writePart } from './manifest.ts';
import type { Receipt } from './receipt.ts';
import { readQuarantine, readReceipt } from './receipt.ts';
import { askRecordedPlace } from './recorded-place.ts';
import {
  contentOf,
  type Delivered,
  lookAtDeliveries,
  noteDelivered,
  type ReportKind,
  stands,
} from './standing-deliveries.ts';

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
  const there = new Set(written.map(nameKey));
  const missing = input.files.flatMap((file, at) => (there.has(nameKey(file.name)) ? [] : [at]));
  if (input.watch) {
    const marks = input.files.flatMap((file, at) =>
      file.version === undefined || missing.includes(at)
        ? []
        : [{ name: toBytes(file.name), version: file.version, quarantined: quarantineOf(file) }],
    );
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
        const settled = await settleOne(deps, input, destination, file);
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

/** The content that an operator may clear: one that has a record. Without one the trouble was ours. */
function quarantineOf({ outcome, sha256, from }: SettledFile): string | undefined {
  return outcome === 'quarantined' && from !== undefined ? sha256 : undefined;
}

function nameKey({ path, pathBase64 }: FileName): string {
  return pathBase64 === undefined ? `t${path}` : `b${pathBase64}`;
}

type Settling = { line: ManifestLine; delivered?: Delivered } | 'missing';

function lineOf(file: SettledFile): ManifestLine {
  return {
    ...file.name,
    size: file.size,
    sha256: file.sha256,
    outcome: file.outcome,
    reason: file.reason,
    attempts: file.attempts ?? 0,
    pod: file.pod,
    settledAt: new Date().toISOString(),
  };
}

/** Its pod and times are in the receipt, which is not read again. */
function standingLine(file: SettledFile, profile: ProfileRef): ManifestLine {
  const receipt = receiptKey(contentOf(file, profile));
  return { ...lineOf(file), receipt, sameBytes: file.memory?.delivery?.sameBytes };
}

async function settleOne(
  deps: Dependencies,
  input: SettleFilesInput,
  destination: Destination,
  file: SettledFile,
): Promise<Settling> {
  const line = lineOf(file);
  try {
    switch (file.outcome) {
      case 'rebuilt':
      case 'delivered':
      case 'refused':
      case 'quarantined':
        return await settleByRecord(deps, input, destination, file, line);
      default:
        return { line };
    }
  } catch (error) {
    if (error instanceof DriverError && error.code === 'destination.name-unsupported') {
      return { line: { ...line, outcome: 'unreadable', reason: error.message } };
    }
    throw error;
  }
}

async function settleByRecord(
  deps: Dependencies,
  input: SettleFilesInput,
  destination: Destination,
  file: SettledFile,
  line: ManifestLine,
): Promise<Settling> {
  const delivers = file.outcome === 'rebuilt' || file.outcome === 'delivered';
  // What was not rebuilt leaves nothing on the clean side, also not of an older content of the same name.
  if (!delivers) await withdraw(deps, destination, file);
  if (file.sha256 === undefined || file.from === undefined) return { line };

  const content = contentOf(file, input.profile);
  const place = { url: file.from, own: input.destination, sha256: file.sha256 };
  if (file.outcome === 'quarantined') {
    const kept = await askRecordedPlace(deps, place, (origin) => readQuarantine(origin, content));
    const reason =
      line.reason ?? kept?.reason ?? `its reason is not in ${file.from} any more, or out of reach`;
    return { line: { ...line, reason, pod: line.pod ?? kept?.pod } };
  }

  const receipt = await askRecordedPlace(deps, place, (origin) => readReceipt(origin, content));
  if (receipt === null || (receipt.verdict === 'rebuilt') !== delivers) return 'missing';
  const report = reportKindOf(receipt);
  const origin = deps.openDestination(file.from);
  try {
    if (origin.url !== destination.url) await replicate(origin, destination, receipt, content);
    if (receipt.rebuilt) await destination.copy(receipt.rebuilt.key, treeKey(file.name), receipt.rebuilt);
    if (receipt.report && report) {
      await destination.copy(receipt.report.key, reportKey(file.name, report), receipt.report);
    }
  } catch (error) {
    if (error instanceof DriverError && error.code.startsWith('content.')) return 'missing';
    throw error;
  }
  return {
    line: {
      ...line,
      reason: line.reason ?? receipt.reason,
      pod: line.pod ?? receipt.pod.name,
      receipt: receiptKey(content),
      sameBytes: receipt.sameBytes,
      engineSeconds: receipt.times.engineSeconds,
    },
    ...(delivers && { delivered: { file, report, sameBytes: receipt.sameBytes } }),
  };
}

function reportKindOf({ report }: Receipt): ReportKind | undefined {
  if (report === undefined) return undefined;
  return report.key.endsWith('.json') ? 'json' : 'xml';
}

async function withdraw(deps: Dependencies, destination: Destination, file: SettledFile): Promise<void> {
  await destination.remove(treeKey(file.name));
  deps.logger.debug({ event: EVENT.deliveryWithdrawn, sha256: file.sha256 }, 'nothing of it under tree/');
}

/** Brings a content that another destination holds over to this one, receipt last. */
async function replicate(
  origin: Destination,
  destination: Destination,
  receipt: Receipt,
  content: { sha256: string; fingerprint: string },
): Promise<void> {
  if ((await readReceipt(destination, content)) !== null) return;
  for (const stored of [receipt.rebuilt, receipt.report]) {
    if (!stored) continue;
    const found = await origin.read(stored.key);
    const written = found && (await destination.write(stored.key, found.body));
    if (!written || written.sha256 !== stored.sha256 || written.size !== stored.size) {
      await destination.remove(stored.key);
      throw new DriverError('content.missing', `${stored.key} is not what its receipt says.`, {
        retryable: false,
      });
    }
  }
  await destination.create(receiptKey(content), `${JSON.stringify({ ...receipt, logs: [] }, null, 2)}\n`);
}
