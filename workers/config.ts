/** The configuration: one schema over the environment, the only reader of it. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type Profile, profilesSchema } from '../drivers/profile.ts';
import { linkKeysSchema } from '../fileserver/link-keys.ts';

/** The message names every problem, one a line, and repeats no value: it may be a secret. */
export class ConfigError extends Error {}

const ROLES = ['orchestrate', 'files', 'pods'] as const;
export type Role = (typeof ROLES)[number];

const text = z.string().min(1);
// Not z.coerce: to it, blanks are the number 0.
const share = z
  .string()
  .transform((value) => (/^\d*\.?\d+(e-\d+)?$/i.test(value) ? Number(value) : Number.NaN))
  .refine((value) => value > 0 && value < 0.5, 'must be a number above 0 and below 0.5');
const whole = (min: number, max: number) => {
  const error = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d+$/, error)
    .transform(Number)
    .refine((value) => value >= min && value <= max, error);
};
/** An IPv6 address stands in brackets, as in a URL. */
const LISTEN = /^(?:\[(?<v6>[0-9a-f:.]+)\]|(?<name>[^:[\]\s]+)):(?<port>\d{1,5})$/i;
const listen = text.transform((value, context) => {
  const { v6, name, port } = LISTEN.exec(value)?.groups ?? {};
  const host = v6 ?? name;
  if (host !== undefined && Number(port) <= 65_535) return { host, port: Number(port) };
  context.addIssue('must be host:port, such as 127.0.0.1:9464');
  return z.NEVER;
});
const httpUrl = z.url({ protocol: /^https?$/, error: 'must be a URL such as http://host:port' });
const flag = z.enum(['true', 'false'], 'must be true or false').transform((value) => value === 'true');
const folders = z
  .string()
  .transform((value) => value.split(':').filter((folder) => folder !== ''))
  .refine(
    (list) => list.every((folder) => folder.startsWith('/')),
    'must be absolute folders separated by colons',
  );
const roles = z
  .string()
  .transform((value) => value.split(',').map((role) => role.trim()))
  .pipe(z.array(z.enum(ROLES, `must be some of ${ROLES.join(', ')}, separated by commas`)))
  .transform((list) => [...new Set(list)]);

/** Each variable once. Those without a default must be set, unless they are optional. */
export const environmentSchema = z.object({
  TEMPORAL_ADDRESS: text,
  TEMPORAL_NAMESPACE: text.default('default'),
  TEMPORAL_API_KEY: text.optional(),
  TEMPORAL_TLS_CA_FILE: text.optional(),
  TEMPORAL_TLS_CERT_FILE: text.optional(),
  TEMPORAL_TLS_KEY_FILE: text.optional(),
  PRISTINE_TASK_QUEUE: text.default('pristine'),
  PRISTINE_ROLES: roles.default([...ROLES]),
  REDIS_URL: text.refine(
    isRedisUrl,
    'must be a URL such as redis://:password@host:6379, or rediss:// for TLS',
  ),
  PRISTINE_KEY_PREFIX: text
    .regex(/^[a-z0-9-]+$/, 'must be small letters, digits and dashes')
    .default('pristine'),
  PRISTINE_BLOOM_CAPACITY: whole(1_000, 1_000_000_000).default(1_000_000),
  PRISTINE_BLOOM_ERROR_RATE: share.default(0.001),
  KUBECONFIG: text.optional(),
  PRISTINE_NAMESPACE: text.default('pristine-files'),
  PRISTINE_INSTANCE: text.default('pristine'),
  PRISTINE_POD_IMAGE: text,
  PRISTINE_PROFILES_FILE: text,
  PRISTINE_FILE_ROOTS: folders.default([]),
  PRISTINE_FILE_SERVER_URL: httpUrl.optional(),
  PRISTINE_FILE_SERVER_LISTEN: listen.optional(),
  PRISTINE_LINK_KEYS: linkKeysSchema.optional(),
  PRISTINE_MAX_UPLOAD_BYTES: whole(1, 1024 ** 4).default(1024 ** 3),
  AWS_ENDPOINT_URL_S3: httpUrl.optional(),
  AWS_REGION: text.default('us-east-1'),
  PRISTINE_S3_PATH_STYLE: flag.default(false),
  PRISTINE_HTTP_LISTEN: listen.default({ host: '127.0.0.1', port: 9464 }),
  PRISTINE_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  PRISTINE_LOCK_TTL_SECONDS: whole(5, 3_600).default(60),
  PRISTINE_HEARTBEAT_SECONDS: whole(1, 300).default(10),
  PRISTINE_SHUTDOWN_GRACE_SECONDS: whole(1, 3_600).default(30),
  PRISTINE_MAX_CONCURRENT_FILES: whole(1, 1_000).default(20),
  PRISTINE_MAX_CONCURRENT_PODS: whole(1, 5_000).default(1_000),
  PRISTINE_SEARCH_ATTRIBUTES: z.enum(['auto', 'on', 'off']).default('auto'),
});

export type WorkerConfig = ReturnType<typeof shape>;

/** Throws ConfigError with all problems at once. Reads the profiles file too. */
export function readConfig(env: NodeJS.ProcessEnv) {
  // A variable that is set to nothing is not set.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = environmentSchema.safeParse(given, {
    error: (issue) => (issue.input === undefined ? 'must be set' : undefined),
  });
  const problems = [...(parsed.success ? [] : describe(parsed.error)), ...missingPartners(given)];
  const profiles = readProfiles(given.PRISTINE_PROFILES_FILE, problems);
  if (!parsed.success || problems.length > 0) {
    throw new ConfigError(`The worker can't start with this configuration:\n  ${problems.join('\n  ')}`);
  }
  return shape(parsed.data, profiles);
}

function describe(error: z.ZodError): string[] {
  return error.issues.map(
    ({ path: [name, ...within], message }) => `${[name, ...within].map(String).join('.')}: ${message}`,
  );
}

/** What makes no sense without the other. Goes by what is set, so that it is told with all else that is wrong. */
function missingPartners(given: NodeJS.ProcessEnv): string[] {
  const needs: Record<string, string[]> = {
    PRISTINE_FILE_SERVER_LISTEN: ['PRISTINE_LINK_KEYS', 'PRISTINE_FILE_ROOTS'],
    PRISTINE_FILE_SERVER_URL: ['PRISTINE_LINK_KEYS'],
    PRISTINE_FILE_ROOTS: ['PRISTINE_FILE_SERVER_URL', 'PRISTINE_LINK_KEYS'],
    TEMPORAL_TLS_CERT_FILE: ['TEMPORAL_TLS_KEY_FILE'],
    TEMPORAL_TLS_KEY_FILE: ['TEMPORAL_TLS_CERT_FILE'],
  };
  return Object.entries(needs).flatMap(([name, partners]) =>
    given[name] === undefined
      ? []
      : partners
          .filter((partner) => given[partner] === undefined)
          .map((partner) => `${partner}: must be set, because ${name} is`),
  );
}

function isRedisUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname } = new URL(value);
  return hostname !== '' && (protocol === 'redis:' || protocol === 'rediss:');
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
  const tls = {
    caFile: env.TEMPORAL_TLS_CA_FILE,
    certFile: env.TEMPORAL_TLS_CERT_FILE,
    keyFile: env.TEMPORAL_TLS_KEY_FILE,
  };
  return {
    temporal: {
      address: env.TEMPORAL_ADDRESS,
      namespace: env.TEMPORAL_NAMESPACE,
      taskQueue: env.PRISTINE_TASK_QUEUE,
      apiKey: env.TEMPORAL_API_KEY,
      tls: Object.values(tls).some((file) => file !== undefined) ? tls : undefined,
    },
    roles: env.PRISTINE_ROLES,
    redis: { url: env.REDIS_URL, keyPrefix: env.PRISTINE_KEY_PREFIX },
    bloom: { capacity: env.PRISTINE_BLOOM_CAPACITY, errorRate: env.PRISTINE_BLOOM_ERROR_RATE },
    kubernetes: {
      kubeconfig: env.KUBECONFIG,
      namespace: env.PRISTINE_NAMESPACE,
      instance: env.PRISTINE_INSTANCE,
      podImage: env.PRISTINE_POD_IMAGE,
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
    http: env.PRISTINE_HTTP_LISTEN,
    log: { level: env.PRISTINE_LOG_LEVEL },
    timing: {
      lockTtlMs: env.PRISTINE_LOCK_TTL_SECONDS * 1000,
      heartbeatMs: env.PRISTINE_HEARTBEAT_SECONDS * 1000,
    },
    shutdownGraceMs: env.PRISTINE_SHUTDOWN_GRACE_SECONDS * 1000,
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
  const { fileServer, temporal, redis, profiles, ...rest } = config;
  // No more of it than where it is: ioredis takes a password from the query too.
  const { protocol, host, pathname } = new URL(redis.url);
  return {
    ...rest,
    temporal: { ...temporal, apiKey: temporal.apiKey === undefined ? undefined : 'redacted' },
    redis: { ...redis, url: `${protocol}//${host}${pathname}` },
    fileServer: { ...fileServer, linkKeys: fileServer.linkKeys?.map(({ id }) => id) },
    profiles: Object.keys(profiles),
  };
}
