import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Layout } from './layout.ts';
import { unmountBelow } from './mounts.ts';

/**
 * Whether a node was started since the machine was, and not stopped by `down` since. If not, no container of an earlier
 * run can still exist, and no packet filter rule of kube-proxy's is ours.
 */
export function hasNode(layout: Layout): boolean {
  return isOfThisBoot(layout) && existsSync(nodeMark(layout));
}

/** Notes that a node is about to be started, and that the pods of earlier ones are forgotten. */
export function markNode(layout: Layout): void {
  writeFileSync(nodeMark(layout), '');
}

/** Makes the folder of all that does not survive a stop of the machine. Where /run is kept on disk, what it holds is void then. */
export async function ensureVolatile(layout: Layout): Promise<void> {
  if (isOfThisBoot(layout)) return;
  await unmountBelow([layout.volatile]);
  rmSync(layout.volatile, { recursive: true, force: true });
  mkdirSync(layout.volatile, { recursive: true, mode: 0o711 });
  writeFileSync(bootMark(layout), bootId());
}

function isOfThisBoot(layout: Layout): boolean {
  return existsSync(bootMark(layout)) && readFileSync(bootMark(layout), 'utf8') === bootId();
}

function bootMark({ volatile }: Layout): string {
  return join(volatile, 'boot');
}

function nodeMark({ volatile }: Layout): string {
  return join(volatile, 'node');
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
