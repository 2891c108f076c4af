/** The configuration: one schema over the environment, the only reader of it. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { keyRingSchema } from '../drivers/key-ring.ts';
import { type Profile, profilesSchema } from '../drivers/profile.ts';
import { linkKeysSchema } from '../fileserver/link-keys.ts';
import { deploymentOf, deploymentVariables } from './deployment.ts';
import { etcdProblems, etcdSettings, etcdVariables, printEtcd } from './etcd-config.ts';
import { printRedis, redisProblems, redisSettings, redisVariables } from './redis-config.ts';
import { taskQueueVariable, temporalSettings, temporalVariables } from './temporal-config.ts';
import {
  ConfigError,
  flag,
  httpUrl,
  listen,
  logLevel,
  missingPartners,
  parseVariables,
  setVariables,
  text,
  whole,
} from './variables.ts';

export { ConfigError } from './variables.ts';

const ROLES = ['orchestrate', 'files', 'pods'] as const;

// Not z.coerce: to it, blanks are the number 0.
const share = z
  .string()
  .transform((value) => (/^\d*\.?\d+(e-\d+)?$/i.test(value) ? Number(value) : Number.NaN))
  .refine((value) => value > 0 && value < 0.5, 'must be a number above 0 and below 0.5');
const folders = z
  .string()
  .transform((value) => value.split(':').filter((folder) => folder !== ''))
  .refine(
    (list) => list.every((folder) => folder.startsWith('/')),
    'must be absolute folders separated by colons',
  );
/** As in a label selector: `zone=a,disk=ssd`. */
const labels = z.string().transform((value, context) => {
  const pairs = value.split(',').map((pair) => /^([^=\s]+)=([^=\s]*)$/.exec(pair.trim()) ?? []);
  const found = pairs.flatMap(([, key, label]) =>
    key === undefined || label === undefined ? [] : [[key, label]],
  );
  if (found.length === pairs.length) return Object.fromEntries(found) as Record<string, string>;
  context.addIssue('must be labels such as zone=a,disk=ssd');
  return z.NEVER;
});
const toleration = z.strictObject({
  key: text.exactOptional(),
  operator: z.enum(['Equal', 'Exists']).exactOptional(),
  value: z.string().exactOptional(),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).exactOptional(),
  tolerationSeconds: z.int().exactOptional(),
});
const tolerations = z.string().transform((value, context) => {
  try {
    const parsed = z.array(toleration).safeParse(JSON.parse(value));
    if (parsed.success) return parsed.data;
  } catch {
    // Not JSON: the same to say.
  }
  context.addIssue('must be a JSON list of tolerations as Kubernetes spells them');
  return z.NEVER;
});
const objectNames = z
  .string()
  .transform((value) => value.split(',').map((name) => name.trim()))
  .refine(
    (names) => names.every((name) => /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name)),
    'must be names of Secrets separated by commas',
  );
const roles = z
  .string()
  .transform((value) => value.split(',').map((role) => role.trim()))
  .pipe(z.array(z.enum(ROLES, `must be some of ${ROLES.join(', ')}, separated by commas`)))
  .transform((list) => [...new Set(list)]);

/** Each variable once. Those without a default must be set, unless they are optional. */
export const environmentSchema = z.object({
  ...temporalVariables,
  PRISTINE_CODEC_KEYS: keyRingSchema.optional(),
  ...deploymentVariables,
  ...taskQueueVariable,
  PRISTINE_ROLES: roles.default([...ROLES]),
  PRISTINE_INDEX: z.enum(['redis', 'etcd'], 'must be redis or etcd').default('redis'),
  ...redisVariables,
  ...etcdVariables,
  PRISTINE_KEY_PREFIX: text
    .regex(/^[a-z0-9-]+$/, 'must be small letters, digits and dashes')
    .default('pristine'),
  PRISTINE_BLOOM_CAPACITY: whole(1_000, 1_000_000_000).default(1_000_000),
  PRISTINE_BLOOM_ERROR_RATE: share.default(0.001),
  KUBECONFIG: text.optional(),
  PRISTINE_NAMESPACE: text.default('pristine-files'),
  PRISTINE_INSTANCE: text.default('pristine'),
  PRISTINE_POD_IMAGE: text,
  PRISTINE_NODE_SELECTOR: labels.optional(),
  PRISTINE_TOLERATIONS: tolerations.optional(),
  PRISTINE_IMAGE_PULL_SECRETS: objectNames.optional(),
  PRISTINE_PRIORITY_CLASS: text.optional(),
  PRISTINE_PROFILES_FILE: text,
  PRISTINE_FILE_ROOTS: folders.default([]),
  PRISTINE_FILE_SERVER_URL: httpUrl.optional(),
  PRISTINE_FILE_SERVER_LISTEN: listen.optional(),
  PRISTINE_LINK_KEYS: linkKeysSchema.optional(),
  PRISTINE_MAX_UPLOAD_BYTES: whole(1, 1024 ** 4).default(1024 ** 3),
  AWS_ENDPOINT_URL_S3: httpUrl.optional(),
  AWS_REGION: text.default('us-east-1'),
  PRISTINE_S3_PATH_STYLE: flag.default(false),
  PRISTINE_SINGLE_WRITER: flag.default(false),
  PRISTINE_HTTP_LISTEN: listen.default({ host: '127.0.0.1', port: 9464 }),
  PRISTINE_LOG_LEVEL: logLevel,
  PRISTINE_LOCK_TTL_SECONDS: whole(5, 3_600).default(60),
  PRISTINE_HEARTBEAT_SECONDS: whole(1, 300).default(10),
  PRISTINE_SHUTDOWN_GRACE_SECONDS: whole(1, 3_600).default(30),
  PRISTINE_MAX_CONCURRENT_FILES: whole(1, 1_000).default(20),
  PRISTINE_MAX_CONCURRENT_PODS: whole(1, 5_000).default(1_000),
  PRISTINE_SWEEP_SECONDS: whole(0, 86_400).default(60),
  PRISTINE_SEARCH_ATTRIBUTES: z.enum(['auto', 'on', 'off']).default('auto'),
});

export type WorkerConfig = ReturnType<typeof shape>;

/** What each of them makes no sense without. */
const PARTNERS = {
  PRISTINE_FILE_SERVER_LISTEN: ['PRISTINE_LINK_KEYS', 'PRISTINE_FILE_ROOTS'],
  PRISTINE_FILE_SERVER_URL: ['PRISTINE_LINK_KEYS'],
  PRISTINE_FILE_ROOTS: ['PRISTINE_FILE_SERVER_URL', 'PRISTINE_LINK_KEYS'],
  TEMPORAL_TLS_CERT_FILE: ['TEMPORAL_TLS_KEY_FILE'],
  TEMPORAL_TLS_KEY_FILE: ['TEMPORAL_TLS_CERT_FILE'],
  PRISTINE_DEPLOYMENT_NAME: ['PRISTINE_BUILD_ID'],
  PRISTINE_BUILD_ID: ['PRISTINE_DEPLOYMENT_NAME'],
};

/** Throws ConfigError with all problems at once. Reads the profiles file too. */
export function readConfig(env: NodeJS.ProcessEnv) {
  const given = setVariables(env);
  const { data, problems: found } = parseVariables(environmentSchema, given);
  const problems = [
    ...found,
    ...missingPartners(given, PARTNERS),
    ...redisProblems(given, (given.PRISTINE_INDEX ?? 'redis') === 'redis'),
    ...etcdProblems(given, given.PRISTINE_INDEX === 'etcd'),
  ];
  const profiles = readProfiles(given.PRISTINE_PROFILES_FILE, problems);
  if (data === undefined || problems.length > 0) {
    throw new ConfigError(`The worker can't start with this configuration:\n  ${problems.join('\n  ')}`);
  }
  return shape(data, profiles);
}

function readProfiles(file: string | undefined, problems: string[]): Record<string, Profile> {
  if (file === undefined) return {};
  try {
    const parsed = profilesSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    if (parsed.success) {
      if (parsed.data.default === undefined)
        problems.push(`PRISTINE_PROFILES_FILE: ${file} has no "default"`);
      return parsed.data;
    }
    problems.push(
      ...parsed.error.issues.map(
        (issue) => `PRISTINE_PROFILES_FILE: ${file}: ${issue.path.join('.')}: ${issue.message}`,
      ),
    );
  } catch (error) {
    // JSON.parse would quote the file, and an engine's environment may hold a licence key.
    const why = error instanceof SyntaxError ? 'is not JSON' : `can't be read (${errorCode(error)})`;
    problems.push(`PRISTINE_PROFILES_FILE: ${file} ${why}`);
  }
  return {};
}

function errorCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown';
}

function shape(env: z.infer<typeof environmentSchema>, profiles: Record<string, Profile>) {
  return {
    temporal: { ...temporalSettings(env), taskQueue: env.PRISTINE_TASK_QUEUE },
    /** Without keys payloads are not encrypted. */
    codec: { keys: env.PRISTINE_CODEC_KEYS },
    deployment: deploymentOf(env),
    roles: env.PRISTINE_ROLES,
    indexStore: env.PRISTINE_INDEX,
    redis: { ...redisSettings(env), keyPrefix: env.PRISTINE_KEY_PREFIX },
    etcd: { ...etcdSettings(env), keyPrefix: env.PRISTINE_KEY_PREFIX },
    bloom: { capacity: env.PRISTINE_BLOOM_CAPACITY, errorRate: env.PRISTINE_BLOOM_ERROR_RATE },
    kubernetes: {
      kubeconfig: env.KUBECONFIG,
      namespace: env.PRISTINE_NAMESPACE,
      instance: env.PRISTINE_INSTANCE,
      podImage: env.PRISTINE_POD_IMAGE,
      nodeSelector: env.PRISTINE_NODE_SELECTOR,
      tolerations: env.PRISTINE_TOLERATIONS,
      imagePullSecrets: env.PRISTINE_IMAGE_PULL_SECRETS,
      priorityClassName: env.PRISTINE_PRIORITY_CLASS,
    },
    profiles,
    files: { roots: env.PRISTINE_FILE_ROOTS, maxUploadBytes: env.PRISTINE_MAX_UPLOAD_BYTES },
    fileServer: {
      url: env.PRISTINE_FILE_SERVER_URL,
      listen: env.PRISTINE_FILE_SERVER_LISTEN,
      linkKeys: env.PRISTINE_LINK_KEYS,
    },
    s3: {
      endpoint: env.AWS_ENDPOINT_URL_S3,
      region: env.AWS_REGION,
      forcePathStyle: env.PRISTINE_S3_PATH_STYLE,
    },
    singleWriter: env.PRISTINE_SINGLE_WRITER,
    http: env.PRISTINE_HTTP_LISTEN,
    log: { level: env.PRISTINE_LOG_LEVEL },
    timing: {
      lockTtlMs: env.PRISTINE_LOCK_TTL_SECONDS * 1000,
      heartbeatMs: env.PRISTINE_HEARTBEAT_SECONDS * 1000,
    },
    shutdownGraceMs: env.PRISTINE_SHUTDOWN_GRACE_SECONDS * 1000,
    /** Between two rounds of the pod sweeper; 0 is none. */
    sweepMs: env.PRISTINE_SWEEP_SECONDS * 1000,
    concurrency: {
      attach: 1_000,
      files: env.PRISTINE_MAX_CONCURRENT_FILES,
      pods: env.PRISTINE_MAX_CONCURRENT_PODS,
    },
    searchAttributes: env.PRISTINE_SEARCH_ATTRIBUTES,
  };
}

/** What may be logged: no password, key or secret. */
export function printConfig(config: WorkerConfig): object {
  const { fileServer, temporal, codec, redis, etcd, profiles, ...rest } = config;
  return {
    ...rest,
    temporal: { ...temporal, apiKey: temporal.apiKey === undefined ? undefined : 'redacted' },
    codec: { keys: codec.keys?.map(({ id }) => id) },
    redis: { ...printRedis(redis), keyPrefix: redis.keyPrefix },
    etcd: printEtcd(etcd),
    fileServer: { ...fileServer, linkKeys: fileServer.linkKeys?.map(({ id }) => id) },
    profiles: Object.keys(profiles),
  };
}
