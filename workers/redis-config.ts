/** The part of the environment that says where Redis is. */
import { z } from 'zod';
import { type HostAndPort, parseRedisUrls, type RedisSettings } from '../drivers/redis/settings.ts';
import { flag, missingPartners, text } from './variables.ts';

/** An IPv6 address stands in brackets. */
const SENTINEL = /^(?:\[(?<v6>[0-9a-f:.]+)\]|(?<name>[^:[\]\s/@]+))(?::(?<port>\d{1,5}))?$/i;
const SENTINEL_PORT = 26_379;

const sentinels = text.transform((value, context): HostAndPort[] =>
  value.split(',').map((one) => {
    const { v6, name, port = SENTINEL_PORT } = SENTINEL.exec(one.trim())?.groups ?? {};
    const host = v6 ?? name;
    if (host !== undefined && Number(port) <= 65_535) return { host, port: Number(port) };
    context.addIssue('must be host:port,host:port');
    return z.NEVER;
  }),
);

export const redisVariables = {
  REDIS_URL: text
    .refine(
      (value) => parseRedisUrls(value).length > 0,
      'must be a URL such as redis://:password@host:6379, or rediss:// for TLS; or several, separated by commas, for a Cluster',
    )
    .optional(),
  REDIS_CLUSTER: flag.default(false),
  REDIS_SENTINELS: sentinels.optional(),
  REDIS_SENTINEL_MASTER: text.optional(),
  REDIS_SENTINEL_USERNAME: text.optional(),
  REDIS_SENTINEL_PASSWORD: text.optional(),
  REDIS_USERNAME: text.optional(),
  REDIS_PASSWORD: text.optional(),
  REDIS_TLS: flag.default(false),
  REDIS_TLS_CA_FILE: text.optional(),
  REDIS_TLS_CERT_FILE: text.optional(),
  REDIS_TLS_KEY_FILE: text.optional(),
};

/**
 * What is missing or makes no sense together, one a line, whether or not the rest is right. Without `needed`
 * Redis need not be there at all.
 */
export function redisProblems(given: NodeJS.ProcessEnv, needed: boolean): string[] {
  const { REDIS_URL: url, REDIS_SENTINELS: sentinelList } = given;
  const problems: string[] = [];
  if (url === undefined && sentinelList === undefined) {
    return needed ? ['REDIS_URL: must be set, or REDIS_SENTINELS'] : [];
  }
  if (url !== undefined && sentinelList !== undefined) {
    problems.push('REDIS_SENTINELS: must not be set together with REDIS_URL');
  }
  problems.push(
    ...missingPartners(given, {
      REDIS_SENTINELS: ['REDIS_SENTINEL_MASTER'],
      REDIS_SENTINEL_MASTER: ['REDIS_SENTINELS'],
      REDIS_SENTINEL_PASSWORD: ['REDIS_SENTINELS'],
      REDIS_SENTINEL_USERNAME: ['REDIS_SENTINEL_PASSWORD'],
      REDIS_USERNAME: ['REDIS_PASSWORD'],
      REDIS_TLS_CERT_FILE: ['REDIS_TLS_KEY_FILE'],
      REDIS_TLS_KEY_FILE: ['REDIS_TLS_CERT_FILE'],
    }),
  );
  if (given.REDIS_CLUSTER === 'true' && sentinelList !== undefined) {
    problems.push('REDIS_CLUSTER: Sentinels watch no Cluster: give its nodes in REDIS_URL');
  }

  const urls = parseRedisUrls(url ?? '');
  if (given.REDIS_PASSWORD !== undefined && urls.some(({ password }) => password !== '')) {
    problems.push('REDIS_PASSWORD: must not be set, because REDIS_URL holds a password');
  }
  const tls = sentinelList === undefined ? urls[0]?.protocol === 'rediss:' : given.REDIS_TLS === 'true';
  if (given.REDIS_TLS === 'true' && sentinelList === undefined && urls[0]?.protocol === 'redis:') {
    problems.push('REDIS_TLS: is for Sentinels: begin REDIS_URL with rediss:// instead');
  }
  // Of a URL that is wrong itself nobody knows.
  if (!tls && (urls.length > 0 || sentinelList !== undefined)) {
    const how = sentinelList === undefined ? 'REDIS_URL begins with rediss://' : 'REDIS_TLS is true';
    for (const name of ['REDIS_TLS_CA_FILE', 'REDIS_TLS_CERT_FILE', 'REDIS_TLS_KEY_FILE']) {
      if (given[name] !== undefined) problems.push(`${name}: is of use only where ${how}`);
    }
  }
  return problems;
}

export function redisSettings(env: z.infer<z.ZodObject<typeof redisVariables>>): RedisSettings {
  return {
    url: env.REDIS_URL,
    cluster: env.REDIS_CLUSTER,
    sentinel:
      env.REDIS_SENTINELS === undefined || env.REDIS_SENTINEL_MASTER === undefined
        ? undefined
        : {
            sentinels: env.REDIS_SENTINELS,
            master: env.REDIS_SENTINEL_MASTER,
            username: env.REDIS_SENTINEL_USERNAME,
            password: env.REDIS_SENTINEL_PASSWORD,
            tls: env.REDIS_TLS,
          },
    username: env.REDIS_USERNAME,
    password: env.REDIS_PASSWORD,
    tlsFiles: { ca: env.REDIS_TLS_CA_FILE, cert: env.REDIS_TLS_CERT_FILE, key: env.REDIS_TLS_KEY_FILE },
  };
}

/** What may be logged: where it is, and no password. */
export function printRedis({ url, sentinel, password, ...rest }: RedisSettings): object {
  const redacted = (secret: string | undefined) => (secret === undefined ? undefined : 'redacted');
  return {
    ...rest,
    // No more of it than where it is: a password can stand in the query too.
    url:
      url &&
      parseRedisUrls(url)
        .map(({ protocol, host, pathname }) => `${protocol}//${host}${pathname}`)
        .join(','),
    sentinel: sentinel && { ...sentinel, password: redacted(sentinel.password) },
    password: redacted(password),
  };
}
