import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { addresses } from './addresses.ts';
import { builtFiles } from './built.ts';
import { run } from './command.ts';
import type { Layout } from './layout.ts';
import { bridgeNames } from './network.ts';
import { OperatorError } from './operator-error.ts';
import type { Part } from './part.ts';
import type { Stack } from './stack.ts';
import type { Versions } from './versions.ts';
import { writeWholeFile } from './whole-file.ts';

const programFolders = ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin', '/bin', '/sbin'];
const cniFolders = ['/usr/lib/cni', '/opt/cni/bin'];

/** The name of the sandbox image, which no registry serves: the kubelet must never try to pull it. */
export function pauseImageRef(versions: Versions): string {
  return `pristine.local/pause:${versions.PAUSE_VERSION}`;
}

/** Where this copy's containerd listens. */
export function containerdSocket(layout: Layout): string {
  return join(layout.volatile, 'containerd.sock');
}

/** The container runtime, apart from any other on the machine: own root, state, sockets, runc folder and networks. */
export function containerd(stack: Stack): Part {
  const { layout } = stack;
  const cniFolder = join(layout.conf, 'cni');
  mkdirSync(cniFolder, { recursive: true });
  const network = cniConfiguration(layout);
  writeWholeFile(join(cniFolder, '10-pristine.conflist'), network);
  const config = containerdConfiguration(stack, cniFolder);
  const configFile = join(layout.conf, 'containerd.toml');
  writeWholeFile(configFile, config);
  return {
    name: 'containerd',
    command: findIn(programFolders, 'containerd', 'containerd'),
    args: ['--config', configFile],
    configuration: [config, network],
    listens: [],
    healthy: async () => (await ctr(layout, ['version'])).code === 0,
    readyWithinMs: 30_000,
    stopWithinMs: 20_000,
  };
}

/** Runs ctr against our containerd, in the namespace that Kubernetes uses. */
export function ctr(layout: Layout, args: readonly string[]) {
  return run('ctr', ['--address', containerdSocket(layout), '--namespace', 'k8s.io', ...args]);
}

/** Imports the image archive (docker or OCI format) unless an image of that name is there. Returns whether it did. */
export async function importArchive(layout: Layout, archive: string, ref: string): Promise<boolean> {
  const there = await ctr(layout, ['images', 'list', '--quiet', `name==${ref}`]);
  if (there.code === 0 && there.stdout.trim() === ref) return false;
  const imported = await ctr(layout, ['images', 'import', archive]);
  if (imported.code !== 0) {
    throw new OperatorError(`The image ${ref} can't be imported from ${archive}: ${imported.stderr.trim()}.`);
  }
  const named = await ctr(layout, ['images', 'list', '--quiet', `name==${ref}`]);
  if (named.stdout.trim() !== ref)
    throw new OperatorError(`The archive ${archive} holds no image named ${ref}.`);
  return true;
}

/** Imports the image that holds each pod's namespaces. */
export function importPauseImage(stack: Stack): Promise<boolean> {
  const { layout, versions } = stack;
  return importArchive(layout, builtFiles(layout, versions).pauseImage, pauseImageRef(versions));
}

/** Kills and removes every container and its snapshot; their sandboxes too. Images stay. */
export async function removeContainers(layout: Layout): Promise<void> {
  const list = async (kind: string): Promise<string[]> =>
    (await ctr(layout, [kind, 'list', '--quiet'])).stdout.split('\n').filter(Boolean);
  const tasks = await list('tasks');
  await Promise.all(tasks.map((id) => ctr(layout, ['tasks', 'delete', '--force', id])));
  const containers = await list('containers');
  if (containers.length > 0) await ctr(layout, ['containers', 'delete', ...containers]);
}

/** The names of all containers that have a process, as containerd's state folder has them, whether it runs or not. */
export function startedContainers(layout: Layout): string[] {
  const folder = join(layout.volatile, 'containerd/io.containerd.runtime.v2.task/k8s.io');
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** Where the shim of a sandbox listens: a place that can't be configured, named so that no two containerds meet there. */
export function shimSocket(layout: Layout, sandbox: string): string {
  const named = join(containerdSocket(layout), 'k8s.io', sandbox);
  return join('/run/containerd/s', createHash('sha256').update(named).digest('hex'));
}

function containerdConfiguration(stack: Stack, cniFolder: string): string {
  const { layout, versions } = stack;
  // TOML's basic strings are quoted as JSON's are.
  const text = (value: string): string => JSON.stringify(value);
  return `version = 2
root = ${text(join(layout.data, 'containerd'))}
state = ${text(join(layout.volatile, 'containerd'))}
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.opt", "io.containerd.internal.v1.tracing"]

[debug]
  level = "warn"

[grpc]
  address = ${text(containerdSocket(layout))}

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = ${text(pauseImageRef(versions))}
  # A machine without CAP_SYS_RESOURCE may not lower a score below its own.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = ${text(findFolder(cniFolders, 'bridge', 'containernetworking-plugins'))}
    conf_dir = ${text(cniFolder)}
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        Root = ${text(join(layout.volatile, 'runc'))}
        SystemdCgroup = false
`;
}

/** One bridge, addresses handed out from a folder. Nothing is masqueraded: pods have no business outside. */
function cniConfiguration(layout: Layout): string {
  const config = {
    cniVersion: '1.0.0',
    name: `pristine-${layout.id}`,
    plugins: [
      {
        type: 'bridge',
        bridge: bridgeNames(layout.id).pods,
        isDefaultGateway: true,
        ipMasq: false,
        ipam: {
          type: 'host-local',
          dataDir: join(layout.volatile, 'addresses'),
          ranges: [[{ subnet: addresses.pods }]],
        },
      },
    ],
  };
  return JSON.stringify(config, null, 2);
}

function findIn(folders: readonly string[], program: string, debianPackage: string): string {
  return join(findFolder(folders, program, debianPackage), program);
}

function findFolder(folders: readonly string[], program: string, debianPackage: string): string {
  const folder = folders.find((candidate) => existsSync(join(candidate, program)));
  if (folder !== undefined) return folder;
  throw new OperatorError(
    `${program} is missing: install Debian's ${debianPackage}, or run make up, which does it.`,
  );
}
