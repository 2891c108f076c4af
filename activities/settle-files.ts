import { DriverError } from '../drivers/errors.ts';
import { EVENT } from '../drivers/events.ts';
import { toBytes } from '../drivers/file-name.ts';
import type { Destination } from '../drivers/ports.ts';
import type { OutcomeCounts } from '../workflows/contract.ts';
import { noOutcomes } from '../workflows/contract.ts';
import type { SettledFile } from '../workflows/scan-state.ts';
import type { Dependencies } from './dependencies.ts';
import { partKey, receiptKey, reportKey, treeKey } from './keys.ts';
import type { Receipt } from './receipt.ts';
import { readQuarantine, readReceipt } from './receipt.ts';

export type SettleFilesInput = {
  scanId: string;
  /** First run of this scan's start: manifest parts of two starts never mix. */
  firstRunId: string;
  part: number;
  destination: string;
  fingerprint: string;
  files: SettledFile[];
  watch: boolean;
};

/** `missing`: places in `files` whose recorded content is not there any more; they are in no part. */
export type Settled = { counts: OutcomeCounts; missing: number[] };

/** One line of manifest.jsonl. */
export type ManifestLine = {
  path: string;
  pathBase64?: string | undefined;
  size: number;
  sha256?: string | undefined;
  outcome: SettledFile['outcome'];
  reason?: string | undefined;
  attempts: number;
  pod?: string | undefined;
  receipt?: string | undefined;
  /** The engine gave the same bytes back: it found nothing to remove. */
  sameBytes?: boolean | undefined;
  engineSeconds?: number | undefined;
  settledAt: string;
};

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
  const lines = new Array<ManifestLine | 'missing'>(input.files.length);
  let next = 0;
  const deliverLoop = async () => {
    for (let at = next++; at < input.files.length; at = next++) {
      const file = input.files[at];
      if (file) lines[at] = await settleOne(deps, input, destination, file);
      heartbeat();
    }
  };
  await Promise.all(Array.from({ length: DELIVERIES_AT_ONCE }, deliverLoop));

  const counts = noOutcomes();
  const missing: number[] = [];
  const part: string[] = [];
  for (const [at, line] of lines.entries()) {
    if (line === 'missing') {
      missing.push(at);
      continue;
    }
    counts[line.outcome] += 1;
    const { outcome, sha256, reason, attempts } = line;
    deps.logger.info(
      { event: EVENT.fileSettled, scan: input.scanId, outcome, sha256, reason, attempts },
      'file settled',
    );
    part.push(JSON.stringify(line));
  }
  await destination.write(
    partKey(input.scanId, input.firstRunId, input.part),
    part.map((line) => `${line}\n`).join(''),
  );
  if (input.watch) {
    const marks = input.files.flatMap((file, at) =>
      file.version === undefined || lines[at] === 'missing'
        ? []
        : [{ name: toBytes(file.name), version: file.version }],
    );
    await deps.seen.mark(input.scanId, marks);
  }
  return { counts, missing };
}

async function settleOne(
  deps: Dependencies,
  input: SettleFilesInput,
  destination: Destination,
  file: SettledFile,
): Promise<ManifestLine | 'missing'> {
  const line: ManifestLine = {
    ...file.name,
    size: file.size,
    sha256: file.sha256,
    outcome: file.outcome,
    reason: file.reason,
    attempts: file.attempts ?? 0,
    pod: file.pod,
    settledAt: new Date().toISOString(),
  };
  try {
    switch (file.outcome) {
      case 'rebuilt':
      case 'delivered':
      case 'refused':
      case 'quarantined':
        return await settleByRecord(deps, input, destination, file, line);
      default:
        return line;
    }
  } catch (error) {
    if (error instanceof DriverError && error.code === 'destination.name-unsupported') {
      return { ...line, outcome: 'unreadable', reason: error.message };
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
): Promise<ManifestLine | 'missing'> {
  const delivers = file.outcome === 'rebuilt' || file.outcome === 'delivered';
  // What was not rebuilt leaves nothing on the clean side, also not of an older content of the same name.
  if (!delivers) await withdraw(deps, destination, file);
  if (file.sha256 === undefined || file.from === undefined) return line;

  const content = { sha256: file.sha256, fingerprint: input.fingerprint };
  const origin = deps.openDestination(file.from);
  if (file.outcome === 'quarantined') {
    const kept = await readQuarantine(origin, content);
    return { ...line, reason: line.reason ?? kept?.reason, pod: line.pod ?? kept?.pod };
  }

  const receipt = await readReceipt(origin, content);
  if (receipt === null || (receipt.verdict === 'rebuilt') !== delivers) return 'missing';
  try {
    if (origin.url !== destination.url) await replicate(origin, destination, receipt, content);
    if (receipt.rebuilt) await destination.copy(receipt.rebuilt.key, treeKey(file.name), receipt.rebuilt);
    if (receipt.report) {
      const extension = receipt.report.key.endsWith('.json') ? 'json' : 'xml';
      await destination.copy(receipt.report.key, reportKey(file.name, extension), receipt.report);
    }
  } catch (error) {
    if (error instanceof DriverError && error.code.startsWith('content.')) return 'missing';
    throw error;
  }
  return {
    ...line,
    reason: line.reason ?? receipt.reason,
    pod: line.pod ?? receipt.pod.name,
    receipt: receiptKey(content),
    sameBytes: receipt.sameBytes,
    engineSeconds: receipt.times.engineSeconds,
  };
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
