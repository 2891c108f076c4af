/** Files that are as an earlier scan has read them: their content is known without reading it. See docs/adr/0011. */
import type { FileNote, IndexRecord, ListedFile, MemoryPlace } from '../drivers/ports.ts';
import { isSteady } from '../drivers/steady.ts';
import { indexProfile, type ProfileRef } from '../workflows/contract.ts';
import type { Dependencies } from './dependencies.ts';
import type { ReadFile } from './hash-files.ts';

type Places = { source: string; destination: string; profile: ProfileRef };
export type KnownFile = { file: ListedFile; note: FileNote; record: IndexRecord };

export function memoryPlace({ source, destination, profile }: Places): MemoryPlace {
  return { source, destination, profile: indexProfile(profile) };
}

/** An ETag is made of the content alone, and two contents may be made to have one: size and time go with it. */
export function notedVersion({
  version,
  size,
  modifiedAt,
}: Pick<ListedFile, 'version' | 'size' | 'modifiedAt'>): string {
  return `${version} ${size} ${modifiedAt}`;
}

/**
 * Which of these files need not be read: noted in this very version, and their content is on record now. What has no
 * record goes to a pod, and is read before. A forced scan knows nothing.
 */
export async function recallFiles(
  { memory }: Pick<Dependencies, 'memory'>,
  places: Places,
  files: readonly ListedFile[],
): Promise<{ known: KnownFile[]; unknown: ListedFile[] }> {
  const known: KnownFile[] = [];
  const unknown: ListedFile[] = [];
  const recalled =
    places.profile.base !== undefined
      ? []
      : await memory.recall(
          memoryPlace(places),
          files.map((file) => ({ name: file.name, version: notedVersion(file) })),
        );
  for (const [at, file] of files.entries()) {
    const { record, ...note } = recalled[at] ?? { record: null, sha256: '' };
    if (record === null) unknown.push(file);
    else known.push({ file, note, record });
  }
  return { known, unknown };
}

/** Whether what was read may be noted as this version's content. */
export function isNotable({ file, beganAt }: ReadFile, { profile }: Pick<Places, 'profile'>): boolean {
  return profile.base === undefined && isSteady(file.changedAt, beganAt);
}

/** Notes what was read, where the version tells that a later change would show. */
export async function noteRead(
  { memory }: Pick<Dependencies, 'memory'>,
  places: Places,
  read: readonly ReadFile[],
): Promise<void> {
  const notes = read
    .filter((one) => isNotable(one, places))
    .map(({ file, sha256 }) => ({ name: file.name, version: notedVersion(file), sha256 }));
  await memory.remember(memoryPlace(places), notes);
}
