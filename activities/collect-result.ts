import { digestOf } from '../drivers/digest-of.ts';
import { EVENT } from '../drivers/events.ts';
import type { Destination, FailureClass, PodOutcome, PodRef, UploadReport } from '../drivers/ports.ts';
import type { RebuildFileInput } from '../workflows/contract.ts';
import { indexProfile } from '../workflows/contract.ts';
import { recordOf } from './claim-content.ts';
import { containerLogged } from './container-logged.ts';
import type { Dependencies } from './dependencies.ts';
import { invalid } from './failures.ts';
import { receiptKey, slotKey, slotPrefix } from './keys.ts';
import type { Receipt } from './receipt.ts';
import { readReceipt } from './receipt.ts';

export type CollectResultInput = {
  file: RebuildFileInput;
  /** With its engine's image, which older workers do not name. */
  pod: PodRef & { image?: string | undefined };
  attempt: number;
  outcome: PodOutcome;
  /** Who holds the content's lock. */
  owner: string;
};

/** `committed`: a receipt stands, this attempt's or one that was there before. */
export type Collected =
  | {
      kind: 'committed';
      verdict: 'rebuilt' | 'refused';
      reason?: string | undefined;
      receipt: string;
      engineSeconds?: number | undefined;
      /** Somebody else's attempt had committed first. */
      reused: boolean;
    }
  | { kind: 'moved'; outcome: 'changed' | 'gone'; reason: string }
  | {
      kind: 'failed';
      class: FailureClass | 'gone';
      reason: string;
      /** Keys of what the attempt left: each container's log, the engine's report. */
      logs?: string[] | undefined;
      report?: string | undefined;
    };

const CONTAINERS = ['fetch', 'engine', 'upload'] as const;
/** Of each container's log, the end. Logs are hostile text: bounded here, never a path, never parsed. */
const LOG_BYTES = 256 * 1024;

/**
 * After a pod ended: keeps its logs, verifies what lies in its slot against what the uploader said, commits the
 * receipt, and records it. What a pod says decides nothing that is not checked here. Doing it again finds the
 * receipt and goes on from there.
 */
export async function collectResult(deps: Dependencies, input: CollectResultInput): Promise<Collected> {
  const collected = await verifyAndCommit(deps, input);
  if (collected.kind !== 'committed') return collected;
  await deps.reached?.('result.committed');
  const { file, owner } = input;
  const key = { sha256: file.sha256, profile: indexProfile(file.profile) };
  await deps.index.add(key, recordOf(file, collected.verdict), owner);
  deps.logger.info(
    { event: EVENT.contentRecorded, sha256: file.sha256, verdict: collected.verdict },
    'recorded',
  );
  await deps.reached?.('result.recorded');
  return collected;
}

async function verifyAndCommit(deps: Dependencies, input: CollectResultInput): Promise<Collected> {
  const { file, pod, outcome } = input;
  const content = { sha256: file.sha256, fingerprint: file.profile.fingerprint };
  const destination = deps.openDestination(file.destination);
  const logs = await keepLogs(deps, destination, input);
  const failed = async (failure: FailureClass | 'gone', reason: string): Promise<Collected> => ({
    kind: 'failed',
    class: failure,
    reason,
    logs,
    report: await reportIn(destination, content, pod.slot),
  });

  switch (outcome.kind) {
    case 'failed':
      return failed(outcome.class, outcome.reason);
    case 'changed':
      return { kind: 'moved', outcome: 'changed', reason: outcome.reason };
    case 'source-gone':
      return { kind: 'moved', outcome: 'gone', reason: outcome.reason };
    case 'gone': {
      // Deleted before anyone looked: only a receipt can tell that its work was done.
      const receipt = await readReceipt(destination, content);
      return receipt ? committed(receipt, content, true) : failed('gone', outcome.reason);
    }
    case 'refused':
      return commit(deps, input, destination, { verdict: 'refused', reason: outcome.reason, logs });
    case 'uploaded': {
      const problem = await checkSlot(destination, content, pod.slot, outcome.report);
      if (problem !== undefined) {
        deps.logger.warn(
          { event: EVENT.resultRejected, sha256: file.sha256, pod: pod.name, reason: problem },
          'upload rejected',
        );
        return failed('transfer', problem);
      }
      const { verdict, reason } = outcome.report;
      return commit(deps, input, destination, { verdict, reason, logs, report: outcome.report });
    }
  }
}

/** The key of the report that an attempt without a result has left, for the operator. */
async function reportIn(
  destination: Destination,
  content: { sha256: string; fingerprint: string },
  slot: string,
): Promise<string | undefined> {
  for await (const { key } of destination.list(slotPrefix(content, slot))) {
    const name = Buffer.from(key).toString('latin1');
    if (/\/report\.(xml|json)$/.test(name)) return name;
  }
  return undefined;
}

/** With the content, whole; and their ends in our own log, where they are found when the pod is long gone. */
async function keepLogs(
  deps: Dependencies,
  destination: Destination,
  { file, pod, attempt }: CollectResultInput,
): Promise<string[]> {
  const content = { sha256: file.sha256, fingerprint: file.profile.fingerprint };
  const kept = await Promise.all(
    CONTAINERS.map(async (container) => {
      const log = await deps.pods.log(pod, container, LOG_BYTES);
      if (log === null || log === '') return undefined;
      const key = slotKey(content, pod.slot, `${container}.log`);
      await destination.write(key, log);
      const from = { sha256: file.sha256, pod: pod.name, attempt, container };
      deps.logger.info(containerLogged(from, log), 'log kept');
      return key;
    }),
  );
  return kept.filter((key) => key !== undefined);
}

/** Reads back everything the uploader says it wrote; answers with what is wrong, or undefined. */
async function checkSlot(
  destination: Destination,
  content: { sha256: string; fingerprint: string },
  slot: string,
  report: UploadReport,
): Promise<string | undefined> {
  const names = report.files.map((file) => file.name);
  if (new Set(names).size !== names.length) return 'the uploader named one file twice';
  if (names.includes('rebuilt') !== (report.verdict === 'rebuilt')) {
    return `the uploader said ${report.verdict} but ${names.includes('rebuilt') ? 'sent' : 'did not send'} a rebuilt file`;
  }
  for (const said of report.files) {
    const stored = await destination.read(slotKey(content, slot, said.name));
    const found = stored && (await digestOf(stored.body));
    if (found === null) return `${said.name} was said to be uploaded but is not in its slot`;
    if (found.size !== said.size || found.sha256 !== said.sha256) {
      return `${said.name} in its slot is not what the uploader said: ${found.size} bytes, sha256 ${found.sha256}`;
    }
  }
  return undefined;
}

async function commit(
  deps: Dependencies,
  { file, pod, attempt, outcome }: CollectResultInput,
  destination: Destination,
  result: {
    verdict: 'rebuilt' | 'refused';
    reason: string | undefined;
    logs: string[];
    report?: UploadReport;
  },
): Promise<Collected> {
  // The profile of that name may be another by now.
  const image = pod.image ?? deps.profiles[file.profile.name]?.image;
  if (image === undefined) throw invalid(`This worker does not know the profile "${file.profile.name}".`);
  await deps.reached?.('result.verified');
  const content = { sha256: file.sha256, fingerprint: file.profile.fingerprint };
  const stored = (name: string) => {
    const said = result.report?.files.find((one) => one.name === name);
    return said && { key: slotKey(content, pod.slot, name), size: said.size, sha256: said.sha256 };
  };
  const rebuilt = stored('rebuilt');
  const receipt: Receipt = {
    version: 1,
    sha256: file.sha256,
    size: file.size,
    profile: file.profile,
    engine: { image, digest: outcome.engineDigest },
    verdict: result.verdict,
    reason: result.reason,
    attempt,
    slot: pod.slot,
    pod: { name: pod.name, uid: pod.uid, node: outcome.node },
    exitCodes: outcome.exitCodes,
    times: outcome.times,
    rebuilt,
    sameBytes: rebuilt && rebuilt.sha256 === file.sha256,
    report: stored('report.xml') ?? stored('report.json'),
    logs: result.logs,
    scan: file.scanId,
    committedAt: new Date().toISOString(),
  };
  const key = receiptKey(content);
  const fields = { sha256: file.sha256, pod: pod.name, receipt: key };
  if (await destination.create(key, `${JSON.stringify(receipt, null, 2)}\n`)) {
    deps.logger.info({ event: EVENT.resultCommitted, ...fields, verdict: receipt.verdict }, 'committed');
    return committed(receipt, content, false);
  }

  const first = await readReceipt(destination, content);
  if (first === null) throw new Error(`${key} exists for create and does not exist for read`);
  const sameAttempt = first.pod.uid === pod.uid;
  if (!sameAttempt) {
    for await (const object of destination.list(slotPrefix(content, pod.slot))) {
      await destination.remove(object.key);
    }
  }
  deps.logger.info({ event: EVENT.resultFound, ...fields, winner: first.pod.name }, 'committed before');
  return committed(first, content, !sameAttempt);
}

function committed(
  receipt: Receipt,
  content: { sha256: string; fingerprint: string },
  reused: boolean,
): Collected {
  return {
    kind: 'committed',
    verdict: receipt.verdict,
    reason: receipt.reason,
    receipt: receiptKey(content),
    engineSeconds: receipt.times.engineSeconds,
    reused,
  };
}
