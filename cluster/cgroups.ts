import { mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The cgroup, below the root of each hierarchy, that all pods of this copy live in. */
export function cgroupRoot(id: string): string {
  return `/pristine-${id}`;
}

/** The mount points of all cgroup hierarchies, version 1 and 2, in the text of /proc/mounts. */
export function parseCgroupMounts(mounts: string): string[] {
  return mounts.split('\n').flatMap((line) => {
    const [, point, type] = line.split(' ');
    return point !== undefined && (type === 'cgroup' || type === 'cgroup2') ? [point] : [];
  });
}

/** Makes our cgroup in each hierarchy: the kubelet wants to find it. */
export function ensureCgroups(id: string): void {
  for (const mount of cgroupMounts()) mkdirSync(join(mount, cgroupRoot(id)), { recursive: true });
}

/** Removes our cgroup and all below it; processes must be gone, which the kernel notices a moment late. */
export async function removeCgroups(id: string): Promise<void> {
  for (const mount of cgroupMounts()) {
    for (const folder of foldersBottomUp(join(mount, cgroupRoot(id)))) await removeFolder(folder);
  }
}

/** The pids in our cgroup and all below it. */
export function processesInCgroups(id: string): number[] {
  const pids = cgroupMounts()
    .flatMap((mount) => foldersBottomUp(join(mount, cgroupRoot(id))))
    .flatMap((folder) => readPids(join(folder, 'cgroup.procs')));
  return [...new Set(pids)];
}

function cgroupMounts(): string[] {
  return parseCgroupMounts(readFileSync('/proc/mounts', 'utf8'));
}

function foldersBottomUp(folder: string): string[] {
  try {
    const children = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [...children.flatMap((child) => foldersBottomUp(join(folder, child.name))), folder];
  } catch {
    return [];
  }
}

async function removeFolder(folder: string): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt++) {
    try {
      rmdirSync(folder);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      await sleep(100);
    }
  }
}

function readPids(file: string): number[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
