/** A release of the chart on the local cluster, for tests and measurements: namespace, volumes and secrets of its own. */
import { chmodSync, chownSync, mkdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readEnvFile } from '../cli/env-file.ts';
import { tool } from './cluster-tools.ts';
import type { Layout } from './layout.ts';
import { OperatorError } from './operator-error.ts';

/** The image's user. */
const USER = 65532;
const imagesSchema = z.object({ worker: z.string(), pod: z.string(), redis: z.string() });
const s3Schema = z.object({
  AWS_ENDPOINT_URL_S3: z.string(),
  AWS_REGION: z.string(),
  AWS_ACCESS_KEY_ID: z.string(),
  AWS_SECRET_ACCESS_KEY: z.string(),
});

export type ReleaseSettings = {
  layout: Layout;
  /** Of the release, its namespace and its task queue. */
  name: string;
  /** Of the release alone; what it sees as /srv/files is made in it. */
  folder: string;
  /** host:port where pods reach Temporal. */
  temporal: string;
  /** Over those that the local cluster needs. */
  values: object;
};

/** Makes what a release needs to be there before. Nothing is installed yet. */
export async function prepareRelease({ layout, name, folder, temporal, values: own }: ReleaseSettings) {
  const chart = join(layout.repo, 'helm/pristine');
  const values = merged(localValues(layout, name, temporal), own);
  const place = ownFolder(folder);
  const volumes = [
    volume(name, 'files', join(place, 'files'), 'files'),
    volume(name, 'redis', join(place, 'redis'), `data-${name}-pristine-redis-0`),
  ];
  const ended = new AbortController();
  let applying: Promise<string> = Promise.resolve('');
  let closing: Promise<void> | undefined;
  const kubectl = (args: string[], input?: string) => tool(layout, 'kubectl', args, { input });
  const helm = (verb: string, more: string[], input?: string) => {
    const args = [verb, name, ...more, '--namespace', name, '--timeout', '8m'];
    applying = tool(layout, 'helm', args, { input, signal: ended.signal });
    return applying;
  };
  const apply = (verb: string, changes: object) =>
    helm(verb, [chart, '--wait', '--values', '-'], JSON.stringify(merged(values, changes)));

  async function remove(): Promise<void> {
    ended.abort();
    await applying.catch(() => {});
    await tool(layout, 'helm', ['uninstall', name, '--namespace', name, '--ignore-not-found']);
    const namespaces = [name, `${name}-files`];
    await kubectl(['delete', 'namespace', ...namespaces, '--ignore-not-found', '--wait', '--timeout=180s']);
    const names = volumes.map(({ metadata }) => metadata.name);
    await kubectl(['delete', 'persistentvolume', ...names, '--ignore-not-found']);
    rmSync(folder, { recursive: true });
  }
  /** Removes the release, all that it made and all that was made for it; a `helm` that is under way is ended. */
  const close = () => {
    closing ??= remove();
    return closing;
  };

  try {
    await kubectl(['create', 'namespace', name]);
    const items = [...volumes, claim('files', `${name}-files`), s3Secret(layout)];
    await kubectl(
      ['create', '-n', name, '-f', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
    );
    // A pod that comes before its claim is bound is unschedulable, and is looked at again after minutes.
    const bound = '--for=jsonpath={.status.phase}=Bound';
    await kubectl(['wait', '-n', name, bound, 'persistentvolumeclaim/files', '--timeout=120s']);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    name,
    taskQueue: name,
    filesNamespace: `${name}-files`,
    /** What the release sees as /srv/files. */
    folder: join(place, 'files'),
    install: (changes: object = {}) => apply('install', changes),
    upgrade: (changes: object = {}) => apply('upgrade', changes),
    rollback: (revision: number) => helm('rollback', [String(revision), '--wait']),
    uninstall: () => helm('uninstall', ['--wait']),
    close,
  };
}

/** What differs on the local cluster: its images, no storage class, Temporal and S3 on the machine itself. */
function localValues(layout: Layout, name: string, temporal: string): object {
  const images = imagesSchema.safeParse(JSON.parse(readFileSync(join(layout.state, 'images.json'), 'utf8')));
  if (!images.success)
    throw new OperatorError('Not all images are built yet: run make up WAIT=1, which waits for them.');
  const { AWS_ENDPOINT_URL_S3: endpoint, AWS_REGION: region } = s3Variables(layout);
  const image = (built: string) => {
    const [repository, tag] = built.split(':');
    return { repository, tag };
  };
  return {
    image: image(images.data.worker),
    podImage: image(images.data.pod),
    temporal: { address: temporal, taskQueue: name },
    redis: {
      image: image(images.data.redis),
      modules: ['/usr/lib/redis/redisbloom.so'],
      persistence: { storageClass: '-', size: '1Gi' },
    },
    s3: { endpoint, region, pathStyle: true, credentials: { existingSecret: 's3' } },
    files: {
      roots: [
        { name: 'files', mountPath: '/srv/files', volume: { persistentVolumeClaim: { claimName: 'files' } } },
      ],
    },
    workers: { orchestrate: { replicas: 1 }, files: { replicas: 1 }, pods: { replicas: 1 } },
  };
}

function s3Variables({ envFile }: Layout) {
  const found = s3Schema.safeParse(readEnvFile(envFile));
  if (found.success) return found.data;
  throw new OperatorError(`${envFile} does not say where S3 is: run make up.`);
}

/** `changes` over `values`, section by section. */
export function merged(values: object, changes: object): object {
  const plain = z.record(z.string(), z.unknown());
  const result = plain.parse(values);
  for (const [key, change] of Object.entries(changes)) {
    const [below, above] = [plain.safeParse(result[key]), plain.safeParse(change)];
    result[key] = below.success && above.success ? merged(below.data, above.data) : change;
  }
  return result;
}

function ownFolder(folder: string): string {
  for (const part of ['files', 'redis']) {
    mkdirSync(join(folder, part), { recursive: true });
    chownSync(join(folder, part), USER, USER);
    chmodSync(join(folder, part), 0o755);
  }
  return realpathSync(folder);
}

function volume(namespace: string, part: string, path: string, claimName: string) {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `${namespace}-${part}` },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteMany', 'ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      storageClassName: '',
      claimRef: { namespace, name: claimName },
      hostPath: { path, type: 'Directory' },
    },
  };
}

function claim(name: string, volumeName: string) {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name },
    spec: {
      accessModes: ['ReadWriteMany'],
      storageClassName: '',
      volumeName,
      resources: { requests: { storage: '1Gi' } },
    },
  };
}

function s3Secret(layout: Layout) {
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret } = s3Variables(layout);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's3' },
    stringData: { 'access-key-id': id, 'secret-access-key': secret },
  };
}
