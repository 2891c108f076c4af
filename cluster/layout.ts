import { createHash } from 'node:crypto';
import { mkdirSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where everything of one copy of the repository lies. All paths are absolute. */
export type Layout = {
  readonly repo: string;
  /** Six hex digits of the repository's path: keeps names on the machine (bridges, cgroups, chains) apart. */
  readonly id: string;
  /** `.pristine` */
  readonly state: string;
  /** Survives `down`, goes with `clean`. */
  readonly data: string;
  readonly log: string;
  /** `<name>.pid` and `<name>.json` of each process. */
  readonly run: string;
  /** Symbolic links to the tools, put in front of PATH. */
  readonly bin: string;
  /** Generated configuration files. */
  readonly conf: string;
  /** Certificates and keys. */
  readonly tls: string;
  /** Sockets, container bundles and network namespaces: never survives a `down` or a reboot. */
  readonly volatile: string;
  readonly kubeletRoot: string;
  /** Built and downloaded things by version, shared by all copies of the repository. */
  readonly cache: string;
  readonly envFile: string;
  readonly kubeconfig: string;
  readonly workerKubeconfig: string;
};

// A Unix socket's path has at most 107 characters, and the kubelet's longest is <root>/pod-resources/kubelet.sock.
const longestKubeletRoot = 107 - '/pod-resources/kubelet.sock'.length;

/** Lays out the state of the copy of the repository at `repo`. */
export function layoutOf(repo: string, env: NodeJS.ProcessEnv): Layout {
  const root = realpathSync(repo);
  const id = createHash('sha256').update(root).digest('hex').slice(0, 6);
  const state = join(root, '.pristine');
  const kubeletRoot = join(state, 'data/kubelet');
  return {
    repo: root,
    id,
    state,
    data: join(state, 'data'),
    log: join(state, 'log'),
    run: join(state, 'run'),
    bin: join(state, 'bin'),
    conf: join(state, 'conf'),
    tls: join(state, 'tls'),
    volatile: `/run/pristine-${id}`,
    kubeletRoot: kubeletRoot.length <= longestKubeletRoot ? kubeletRoot : `/var/lib/pristine-${id}/kubelet`,
    cache: env.PRISTINE_CACHE ?? join(homedir(), '.cache/pristine'),
    envFile: join(state, 'env'),
    kubeconfig: join(state, 'kubeconfig'),
    workerKubeconfig: join(state, 'worker.kubeconfig'),
  };
}

/** Makes the folders of the layout; the ones that hold keys are readable by their owner alone. */
export function makeFolders(layout: Layout): void {
  mkdirSync(layout.state, { recursive: true, mode: 0o755 });
  for (const folder of [layout.data, layout.log, layout.run, layout.bin, layout.cache]) {
    mkdirSync(folder, { recursive: true });
  }
  for (const folder of [layout.conf, layout.tls]) mkdirSync(folder, { recursive: true, mode: 0o700 });
}
