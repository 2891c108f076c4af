import { DriverError, type DriverErrorCode } from '../drivers/errors.ts';
import { EVENT } from '../drivers/events.ts';
import type { Destination } from '../drivers/ports.ts';
import type { ProfileRef } from '../workflows/contract.ts';
import type { SettledFile } from '../workflows/scan-state.ts';
import type { Dependencies } from './dependencies.ts';
import { receiptKey, reportKey, treeKey } from './keys.ts';
import type { ManifestLine } from './manifest.ts';
import type { Receipt } from './receipt.ts';
import { readQuarantine, readReceipt } from './receipt.ts';
import { askRecordedPlace } from './recorded-place.ts';
import { contentOf, type Delivered, type ReportKind } from './standing-deliveries.ts';

type Stored = NonNullable<Receipt['report']>;
/** Where a file's outcome is to show. */
type Place = { destination: string; profile: ProfileRef };

/** `missing`: its recorded content is not there any more. */
export type Settling = { line: ManifestLine; delivered?: Delivered } | 'missing';

export function lineOf(file: SettledFile): ManifestLine {
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

/** Gives one file what its outcome says, and its line of the manifest. */
export async function settleFile(
  deps: Dependencies,
  input: Place,
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
        return await settleOrHold(deps, input, destination, file, line);
      default:
        return { line };
    }
  } catch (error) {
    if (hasCode(error, 'destination.name-unsupported')) {
      return { line: { ...line, outcome: 'unreadable', reason: error.message } };
    }
    throw error;
  }
}

/**
 * A receipt or note that can't be read is neither "done" nor "new": its file is held back until somebody has looked,
 * and nothing is written over it.
 */
async function settleOrHold(...given: Parameters<typeof settleByRecord>): Promise<Settling> {
  try {
    return await settleByRecord(...given);
  } catch (error) {
    if (!hasCode(error, 'content.mismatch')) throw error;
    const [deps, , destination, file, line] = given;
    await withdraw(deps, destination, file);
    return { line: { ...line, outcome: 'quarantined', reason: error.message } };
  }
}

async function settleByRecord(
  deps: Dependencies,
  input: Place,
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
  const isHere = origin.url === destination.url || (await readReceipt(destination, content)) !== null;
  let left: string | undefined;
  try {
    if (!isHere) await replicate(origin, destination, receipt, content);
    if (receipt.rebuilt) await destination.copy(receipt.rebuilt.key, treeKey(file.name), receipt.rebuilt);
    if (receipt.report && report) {
      left = await copyReport(destination, receipt.report, reportKey(file.name, report));
    }
  } catch (error) {
    if (error instanceof DriverError && error.code.startsWith('content.')) return 'missing';
    throw error;
  }
  return {
    line: {
      ...line,
      reason: inWords(line.reason ?? receipt.reason, left),
      pod: line.pod ?? receipt.pod.name,
      receipt: receiptKey(content),
      sameBytes: receipt.sameBytes,
      engineSeconds: receipt.times.engineSeconds,
    },
    ...(delivers && { delivered: { file, report, sameBytes: receipt.sameBytes } }),
  };
}

/** Answers with why it stays with its content, where its name can't be had: `a` and a file below `a.xml/` want one. */
async function copyReport(
  destination: Destination,
  { key, ...digest }: Stored,
  to: Uint8Array,
): Promise<string | undefined> {
  try {
    await destination.copy(key, to, digest);
    return undefined;
  } catch (error) {
    if (!hasCode(error, 'destination.name-unsupported')) throw error;
    return `its report stays with its content: ${error.message}`;
  }
}

function inWords(...reasons: (string | undefined)[]): string | undefined {
  return reasons.filter((reason) => reason !== undefined).join('; ') || undefined;
}

function hasCode(error: unknown, code: DriverErrorCode): error is DriverError {
  return error instanceof DriverError && error.code === code;
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
