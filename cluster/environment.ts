import { existsSync, lstatSync, readlinkSync, renameSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { formatEnvFile } from '../cli/env-file.ts';
import { addresses } from './addresses.ts';
import { builtFiles } from './built.ts';
import type { Layout } from './layout.ts';
import { OperatorError } from './operator-error.ts';
import { redisUrl } from './redis.ts';
import { s3Endpoint, s3Region } from './s3.ts';
import type { Stack } from './stack.ts';
import { writeWholeFile } from './whole-file.ts';

/** The cluster that pods run in: the local one, or one that the caller brought. */
export type Target = {
  readonly local: boolean;
  readonly kubeconfig: string;
  readonly workerKubeconfig: string;
  readonly kubectl: string;
  /** The address of this machine that pods reach. */
  readonly host: string;
};

/**
 * Which cluster is meant. KUBECONFIG names another one, unless it is the local one's, which whoever sourced
 * .pristine/env has set.
 */
export function targetFrom(
  env: NodeJS.ProcessEnv,
  { layout, versions }: Pick<Stack, 'layout' | 'versions'>,
): Target {
  const given = env.KUBECONFIG;
  if (given === undefined || given === '' || resolve(given) === layout.kubeconfig) {
    return {
      local: true,
      kubeconfig: layout.kubeconfig,
      workerKubeconfig: layout.workerKubeconfig,
      kubectl: builtFiles(layout, versions).kubectl,
      host: addresses.node,
    };
  }
  if (!existsSync(given)) {
    throw new OperatorError(
      `KUBECONFIG names ${given}, which is not there: correct it, or unset it for a local cluster.`,
    );
  }
  const host = env.PRISTINE_HOST_ADDRESS;
  if (host === undefined || host === '' || host === addresses.node) {
    throw new OperatorError(
      `Set PRISTINE_HOST_ADDRESS to an address of this machine that pods of the cluster in ${given} can reach ` +
        '(with kind, the gateway of its Docker network): they fetch their files from it.',
    );
  }
  return {
    local: false,
    kubeconfig: resolve(given),
    workerKubeconfig: resolve(given),
    kubectl: 'kubectl',
    host,
  };
}

/** What `.pristine/env` holds, besides PATH. */
export function stackVariables(stack: Stack, target: Target): Record<string, string> {
  const { ports, secrets } = stack;
  return {
    KUBECONFIG: target.kubeconfig,
    PRISTINE_WORKER_KUBECONFIG: target.workerKubeconfig,
    PRISTINE_HOST_ADDRESS: target.host,
    TEMPORAL_ADDRESS: `${addresses.loopback}:${ports.TEMPORAL}`,
    TEMPORAL_UI: `http://${addresses.loopback}:${ports.TEMPORAL_UI}`,
    REDIS_URL: redisUrl(stack),
    REDISCLI_AUTH: secrets.redisPassword,
    AWS_ENDPOINT_URL_S3: s3Endpoint(stack, target.host),
    AWS_ACCESS_KEY_ID: secrets.s3AccessKey,
    AWS_SECRET_ACCESS_KEY: secrets.s3SecretKey,
    AWS_REGION: s3Region,
  };
}

/** Writes `.pristine/env`. */
export function writeEnvironment(stack: Stack, target: Target): void {
  const text = formatEnvFile(stackVariables(stack, target), stack.layout.bin);
  writeWholeFile(stack.layout.envFile, text);
}

/** Puts links to the tools that are built into `.pristine/bin`. */
export function linkTools({ layout, versions }: Pick<Stack, 'layout' | 'versions'>): void {
  const files = builtFiles(layout, versions);
  const tools = {
    kubectl: files.kubectl,
    temporal: files.temporal,
    helm: files.helm,
    rclone: files.rclone,
    kwok: files.kwok,
    kubeconform: files.kubeconform,
    etcd: files.etcd,
    'redis-cli': '/usr/bin/redis-cli',
    node: join(layout.repo, 'node_modules/.bin/node'),
  };
  for (const [name, file] of Object.entries(tools)) {
    if (existsSync(file)) link(layout, name, file);
  }
}

function link(layout: Layout, name: string, file: string): void {
  const place = join(layout.bin, name);
  const there = lstatSync(place, { throwIfNoEntry: false });
  if (there?.isSymbolicLink() && readlinkSync(place) === file) return;
  const temporary = `${place}.${process.pid}.tmp`;
  symlinkSync(file, temporary);
  renameSync(temporary, place);
}
