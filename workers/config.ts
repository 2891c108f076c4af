import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { profilesSchema } from '../drivers/profile.ts';
import { linkKeysSchema } from '../fileserver/link-keys.ts';
export class ConfigError extends Error {}
const s = z.object({
  TEMPORAL_ADDRESS: z.string(),
  REDIS_URL: z.string(),
  KUBECONFIG: z.string().optional(),
  PRISTINE_POD_IMAGE: z.string(),
  PRISTINE_PROFILES_FILE: z.string(),
  PRISTINE_FILE_ROOTS: z.string().default(''),
  PRISTINE_FILE_SERVER_URL: z.string().optional(),
  PRISTINE_FILE_SERVER_LISTEN: z.string().optional(),
  PRISTINE_LINK_KEYS: linkKeysSchema.optional(),
  AWS_ENDPOINT_URL_S3: z.string().optional(),
  AWS_REGION: z.string().default('us-east-1'),
  PRISTINE_TASK_QUEUE: z.string().default('pristine'),
});
export function readConfig(env: NodeJS.ProcessEnv) {
  const e = s.parse(env);
  const [host, port] = (e.PRISTINE_FILE_SERVER_LISTEN ?? ':').split(':');
  return {
    temporal: {
      address: e.TEMPORAL_ADDRESS,
      namespace: 'default',
      taskQueue: e.PRISTINE_TASK_QUEUE,
      apiKey: undefined as string | undefined,
      tls: undefined as undefined | { caFile?: string; certFile?: string; keyFile?: string },
    },
    roles: ['orchestrate', 'files', 'pods'] as ('orchestrate' | 'files' | 'pods')[],
    redis: { url: e.REDIS_URL, keyPrefix: 'pristine' },
    bloom: { capacity: 1_000_000, errorRate: 0.001 },
    kubernetes: {
      kubeconfig: e.KUBECONFIG,
      namespace: 'pristine-files',
      instance: 'pristine',
      podImage: e.PRISTINE_POD_IMAGE,
    },
    profiles: profilesSchema.parse(JSON.parse(readFileSync(e.PRISTINE_PROFILES_FILE, 'utf8'))),
    files: { roots: e.PRISTINE_FILE_ROOTS.split(':').filter((r) => r), maxUploadBytes: 1024 ** 3 },
    fileServer: {
      url: e.PRISTINE_FILE_SERVER_URL,
      listen: host ? { host, port: Number(port) } : undefined,
      linkKeys: e.PRISTINE_LINK_KEYS,
    },
    s3: { endpoint: e.AWS_ENDPOINT_URL_S3, region: e.AWS_REGION, forcePathStyle: true },
    http: { host: '127.0.0.1', port: 9464 },
    sdkMetrics: { host: '127.0.0.1', port: 9465 },
    log: { level: 'info' },
    timing: { lockTtlMs: 60_000, heartbeatMs: 10_000 },
    shutdownGraceMs: 30_000,
    concurrency: { attach: 1000, files: 20, pods: 1000 },
    searchAttributes: 'auto' as 'auto' | 'on' | 'off',
  };
}
export type WorkerConfig = ReturnType<typeof readConfig>;
export const printConfig = (c: WorkerConfig) => ({ temporal: c.temporal });
