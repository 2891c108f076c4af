import type { BigIntStats } from 'node:fs';
import { type FileHandle, lstat } from 'node:fs/promises';
import { isSteady } from '../steady.ts';
import { type Anchor, entryOf, openFolder, openFolderIn } from './anchor.ts';
import type { ByteString } from './byte-string.ts';
import { isAbsent, isBlockedByKind, isDenied } from './errno.ts';
import { fileVersion } from './file-version.ts';
import { lookTogether } from './look-together.ts';

/** Walks that go on at the same time, each with one open folder a level. */
const WALKS = 4;

/** `ours`: the folders on the way are named by us, so that no two names share the last ones. */
export type Wanted = { components: readonly ByteString[]; ours: boolean };
type Answer = string | null;
/** Names to be looked at in one open folder, and where their answers go. */
type Group = { path: ByteString; folders: readonly ByteString[]; entries: Entry[] };
type Entry = { at: number; name: ByteString };

/**
 * For each name below the anchor: its file's version, `absent`, or null where that is no plain file with one name, or
 * one whose version can't be relied on yet. Follows no link, but for folders on the way to a name of ours, which is
 * found in one step: nothing is opened there, and inode and change time tell one file from another wherever it is.
 * Throws system errors that are no fact about one name.
 */
export async function standing(
  anchor: Anchor,
  wanted: readonly Wanted[],
  now: number = Date.now(),
): Promise<Answer[]> {
  const answers = new Array<Answer>(wanted.length).fill(null);
  const next = groupsOf(wanted).values();
  const walk = async () => {
    const folders = await Folders.open(anchor);
    try {
      for (const { folders: path, entries } of next) {
        const found = await folders.look(path, entries);
        for (const [i, { at }] of entries.entries()) answers[at] = versionOf(found[i] ?? null, now);
      }
    } finally {
      await folders.close();
    }
  };
  await Promise.all(Array.from({ length: WALKS }, walk));
  return answers;
}

/** By the folder to look in, which for a name of ours is the anchor's; neighbours in this order share folders. */
function groupsOf(wanted: readonly Wanted[]): Group[] {
  const groups = new Map<ByteString, Group>();
  for (const [at, { components, ours }] of wanted.entries()) {
    const folders = ours ? [] : components.slice(0, -1);
    const name = ours ? components.join('/') : (components.at(-1) ?? '');
    const path = folders.join('/');
    const group = groups.get(path) ?? { path, folders, entries: [] };
    group.entries.push({ at, name });
    groups.set(path, group);
  }
  return [...groups.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

type Found = BigIntStats | 'absent' | null;

/** The open folders on the way to the one that was looked into last. */
class Folders {
  readonly #top: FileHandle;
  #open: { name: ByteString; folder: FileHandle }[] = [];

  private constructor(top: FileHandle) {
    this.#top = top;
  }

  static async open(anchor: Anchor): Promise<Folders> {
    return new Folders(await openFolder(anchor, []));
  }

  /** What is found of each name in this folder: `absent`; null for what can't be got at. */
  async look(path: readonly ByteString[], entries: readonly Entry[]): Promise<Found[]> {
    try {
      await this.#enter(path);
    } catch (error) {
      return entries.map(() => factOf(error));
    }
    const folder = this.#last();
    return lookTogether(entries, ({ name }) => lstat(entryOf(folder, name), { bigint: true }).catch(factOf));
  }

  async close(): Promise<void> {
    await this.#leave(0);
    await this.#top.close();
  }

  async #enter(folders: readonly ByteString[]): Promise<void> {
    const shared = this.#open.findIndex(({ name }, depth) => name !== folders[depth]);
    if (shared !== -1) await this.#leave(shared);
    for (const name of folders.slice(this.#open.length)) {
      this.#open.push({ name, folder: await openFolderIn(this.#last(), name) });
    }
  }

  #last(): FileHandle {
    return this.#open.at(-1)?.folder ?? this.#top;
  }

  async #leave(depth: number): Promise<void> {
    const left = this.#open.splice(depth);
    await Promise.all(left.map(({ folder }) => folder.close()));
  }
}

/** What a failure says of one name. Throws what it doesn't say of that name alone. */
function factOf(error: unknown): 'absent' | null {
  if (isAbsent(error)) return 'absent';
  if (isBlockedByKind(error) || isDenied(error)) return null;
  throw error;
}

/** With another name to it somebody could change the file unseen, by way of a folder that nobody looks into. */
function versionOf(found: Found, now: number): Answer {
  if (found === null || found === 'absent') return found;
  const sure = found.isFile() && found.nlink === 1n && isSteady(Number(found.ctimeMs), now);
  return sure ? fileVersion(found) : null;
}
