import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { hasNode } from './boot-mark.ts';
import { builtFiles } from './built.ts';
import { processesInCgroups, removeCgroups } from './cgroups.ts';
import { run, runChecked } from './command.ts';
import { containerdSocket, ctr, removeContainers, startedContainers } from './containerd.ts';
import type { Layout } from './layout.ts';
import { removeLeftovers } from './leftovers.ts';
import { mountsBelow, unmountBelow } from './mounts.ts';
import { removeNetwork, removeServiceRules } from './network.ts';
import { OperatorError } from './operator-error.ts';
import { recordNames } from './pid-file.ts';
import { endProcess, identify } from './process-identity.ts';
import { isRunning, stopPart } from './supervise.ts';
import { restoreSysctls } from './sysctls.ts';
import type { Versions } from './versions.ts';

/**
 * Ends every process of the stack and removes every mount, interface, packet filter rule and cgroup of it. Data stays.
 * Works from any half-started state. Returns whether there was anything to end.
 */
export async function down(
  layout: Layout,
  versions: Versions,
  tell: (line: string) => void,
): Promise<boolean> {
  if (recordNames(layout.run).length === 0 && !existsSync(layout.volatile)) return false;
  const stop = async (...names: string[]): Promise<void> => {
    await Promise.all(
      names.map(async (name) => {
        if (await stopPart(layout, name)) tell(`${name}: stopped`);
      }),
    );
  };
  // Users before what they use, so that nobody is seen failing.
  await stop('worker', 'later-builds');
  await Promise.all([stop('temporal'), stop('redis'), stop('s3'), stopCluster(layout, versions, stop)]);
  await stop(...recordNames(layout.run));
  return true;
}

/** Deletes everything that `up` and the scans made in this copy of the repository; the cache of built parts stays. */
export async function clean(layout: Layout): Promise<void> {
  const folders = [layout.state, layout.volatile];
  const mounts = mountsBelow(readFileSync('/proc/mounts', 'utf8'), folders);
  if (mounts.length > 0) {
    throw new OperatorError(`${mounts[0]} is still mounted: unmount it, then run make clean again.`);
  }
  // rm rather than Node's own: it never crosses into another file system.
  await runChecked('rm', ['-rf', '--one-file-system', '--', layout.state, layout.kubeletRoot]);
}

async function stopCluster(
  layout: Layout,
  versions: Versions,
  stop: (...names: string[]) => Promise<void>,
): Promise<void> {
  const hadFolder = existsSync(layout.volatile);
  const hadNode = hasNode(layout);
  await stop('kubelet', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy');
  const answers = isRunning(layout, 'containerd') && (await ctr(layout, ['version'])).code === 0;
  const containers = startedContainers(layout);
  if (answers) await removeContainers(layout);
  await Promise.all([stop('containerd'), stop('kube-apiserver')]);
  await stop('etcd');
  if (!hadFolder) return;
  await endContainerProcesses(layout);
  await unmountBelow([layout.kubeletRoot, layout.volatile, join(layout.data, 'containerd')]);
  if (hadNode) {
    await run(builtFiles(layout, versions).kubeProxy, ['--cleanup']).catch(() => undefined);
    await removeServiceRules();
  }
  await removeNetwork(layout);
  await removeCgroups(layout.id);
  removeLeftovers(layout, containers);
  restoreSysctls(layout);
  rmSync(layout.volatile, { recursive: true, force: true });
}

/** Ends what containerd could not: processes in our cgroup, and the shims that serve our socket. */
async function endContainerProcesses(layout: Layout): Promise<void> {
  const pids = [...processesInCgroups(layout.id), ...shims(containerdSocket(layout))];
  await Promise.all(
    pids.map(async (pid) => {
      const identity = identify(pid);
      if (identity !== undefined) await endProcess(identity, 0);
    }),
  );
}

function shims(socket: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      const args = readCommandLine(pid);
      return (args[0] ?? '').includes('containerd-shim') && args.includes(socket);
    })
    .map(Number);
}

function readCommandLine(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
