/**
 * Deliveries that stand as an earlier scan has verified them: receipt, file and report are looked at, not read. What
 * is not as it was noted is delivered anew, and noted once all of it was verified between two looks that agree.
 */
import { hash } from 'node:crypto';
import { toBytes } from '../drivers/file-name.ts';
import type { Destination, NotedDelivery } from '../drivers/ports.ts';
import type { ProfileRef } from '../workflows/contract.ts';
import type { SettledFile } from '../workflows/scan-state.ts';
import type { Dependencies } from './dependencies.ts';
import { receiptKey, reportKey, treeKey } from './keys.ts';
import { memoryPlace, notedVersion } from './known-files.ts';

export type ReportKind = 'xml' | 'json';
type Version = string | null;
type Look = { receipt: Version; tree: Version; xml: Version; json: Version };

/** What lay there before anything was delivered, of each file that may be noted. */
export type Looks = ReadonlyMap<SettledFile, Look>;

/** What was delivered the usual way. */
export type Delivered = { file: SettledFile; report: ReportKind | undefined; sameBytes: boolean | undefined };

export async function lookAtDeliveries(
  destination: Destination,
  files: readonly SettledFile[],
  profile: ProfileRef,
): Promise<Looks> {
  const looked = files.filter(({ memory, sha256, outcome }) => memory && sha256 && outcome === 'delivered');
  const wanted = looked.map((file) => ({ file, kinds: reportKinds(file.memory?.delivery) }));
  const keys = wanted.flatMap(({ file, kinds }) => [
    receiptKey(contentOf(file, profile)),
    treeKey(file.name),
    ...kinds.map((kind) => reportKey(file.name, kind)),
  ]);
  const versions = (keys.length === 0 ? [] : await destination.standing(keys)).values();
  const next = () => versions.next().value ?? null;
  return new Map(
    wanted.map(({ file, kinds }) => {
      const look: Look = { receipt: next(), tree: next(), xml: null, json: null };
      for (const kind of kinds) look[kind] = next();
      return [file, look];
    }),
  );
}

/** Whether all that an earlier scan has verified of this file lies there as it lay then. */
export function stands(file: SettledFile, look: Look | undefined, profile: ProfileRef): boolean {
  const delivery = file.memory?.delivery;
  if (look === undefined || delivery === undefined) return false;
  return standingHash(file, look, delivery.report, profile) === delivery.standing;
}

/** Notes what was verified; `source` is not there where an older workflow has asked. */
export async function noteDelivered(
  deps: Pick<Dependencies, 'memory'>,
  places: { source: string | undefined; destination: string; profile: ProfileRef },
  destination: Destination,
  before: Looks,
  delivered: readonly Delivered[],
): Promise<void> {
  const { source, profile } = places;
  const candidates = delivered.filter(({ file }) => isSure(before.get(file)));
  if (source === undefined || candidates.length === 0) return;
  const after = await lookAtDeliveries(
    destination,
    candidates.map(({ file }) => file),
    profile,
  );
  const notes = candidates.flatMap(({ file, report, sameBytes }) => {
    const { version, size, memory, sha256 } = file;
    const [was, is] = [before.get(file), after.get(file)];
    if (!was || !is || !memory || version === undefined || sha256 === undefined) return [];
    const note = {
      name: toBytes(file.name),
      version: notedVersion({ version, size, modifiedAt: memory.modifiedAt }),
      sha256,
    };
    // Only the noted kind of report was looked at: the next scan is to look at both.
    if (memory.delivery && memory.delivery.report !== report) return [note];
    const standing = standingHash(file, is, report, profile);
    if (standing === null || standing !== standingHash(file, was, report, profile)) return [];
    return [{ ...note, delivery: { standing, report, sameBytes } }];
  });
  await deps.memory.remember(memoryPlace({ ...places, source }), notes);
}

export function contentOf(file: SettledFile, profile: ProfileRef): { sha256: string; fingerprint: string } {
  return { sha256: file.sha256 ?? '', fingerprint: file.fingerprint ?? profile.fingerprint };
}

/** Without a delivery noted, the receipt will tell which kind of report it has. */
function reportKinds(delivery: NotedDelivery | undefined): ReportKind[] {
  if (delivery === undefined) return ['xml', 'json'];
  return delivery.report === undefined ? [] : [delivery.report];
}

function isSure(look: Look | undefined): boolean {
  return look !== undefined && isVersion(look.receipt) && isVersion(look.tree);
}

function isVersion(version: Version): version is string {
  return version !== null && version !== 'absent';
}

/** 16 hex; null where something can't be relied on. The receipt's key says which result it is. */
function standingHash(
  file: SettledFile,
  look: Look,
  report: ReportKind | undefined,
  profile: ProfileRef,
): string | null {
  const versions = [look.receipt, look.tree, ...(report === undefined ? [] : [look[report]])];
  if (!versions.every(isVersion)) return null;
  const text = JSON.stringify([receiptKey(contentOf(file, profile)), ...versions]);
  return hash('sha256', text, 'hex').slice(0, 16);
}
