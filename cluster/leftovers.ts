import { existsSync, readdirSync, readFileSync, readlinkSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { shimSocket } from './containerd.ts';
import type { Layout } from './layout.ts';

const deviceSocket = '/var/lib/kubelet/device-plugins/kubelet.sock';

/**
 * Removes what the kubelet, containerd and the CNI plugins put at places that can't be configured, and of that only what
 * is ours. `containers` are those that this stop ended. Nothing of the stack may still run.
 */
export function removeLeftovers(layout: Layout, containers: readonly string[]): void {
  const pods = join(layout.log, 'pods');
  removeMatching('/var/log/containers', (file) => readLink(file).startsWith(`${pods}/`));
  // The plugins note the network namespace, whose name holds our folder.
  removeMatching('/var/lib/cni/results', (file) =>
    readFileSync(file, 'utf8').includes(`${layout.volatile}/`),
  );
  for (const container of containers) rmSync(shimSocket(layout, container), { force: true });
  if (!readFileSync('/proc/net/unix', 'utf8').includes(deviceSocket)) rmSync(deviceSocket, { force: true });
  rmSync(join(layout.kubeletRoot, 'pods'), { recursive: true, force: true });
  rmSync(pods, { recursive: true, force: true });
  for (const folder of [
    '/var/log/containers',
    '/var/lib/cni/results',
    '/var/lib/cni',
    '/var/lib/kubelet/device-plugins',
    '/var/lib/kubelet',
    '/run/containerd/s',
    '/run/containerd',
  ]) {
    removeEmpty(folder);
  }
}

function removeMatching(folder: string, matches: (file: string) => boolean): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    if (matches(file)) rmSync(file, { force: true });
  }
}

function readLink(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Not there, or someone else's files are in it.
  }
}
