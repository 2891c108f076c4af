/** Where Redis is and how to get in: one server, a Cluster, or whatever server the Sentinels name. */
import { readFileSync } from 'node:fs';
import { DriverError } from '../errors.ts';

export type HostAndPort = { host: string; port: number };

export type RedisSettings = {
  /**
   * `redis://[user:password@]host[:port][/db]`, or `rediss://` for TLS. Several, separated by commas, are some
   * nodes of one Redis Cluster: these find the others; the first that has a user and password has it for all.
   */
  url?: string | undefined;
  /** A single URL is a node of a Redis Cluster, or its configuration endpoint. */
  cluster?: boolean | undefined;
  /** Instead of a URL: ask these which server is the master called `master`. */
  sentinel?:
    | {
        sentinels: readonly HostAndPort[];
        master: string;
        /** The Sentinels' own, which need not be Redis'. */
        username?: string | undefined;
        password?: string | undefined;
        /** TLS to the Sentinels and to Redis. */
        tls?: boolean | undefined;
      }
    | undefined;
  /** Redis' own, where the URL has none. */
  username?: string | undefined;
  password?: string | undefined;
  /** PEM files: a certificate authority that Node does not know; a certificate to show, with its key. */
  tlsFiles?: { ca?: string | undefined; cert?: string | undefined; key?: string | undefined } | undefined;
};

type Access = {
  username?: string;
  password?: string;
  tls?: { ca?: Buffer; cert?: Buffer; key?: Buffer };
};
/** What was checked and read, ready to connect. */
export type RedisPlan = { access: Access } & (
  | { kind: 'server'; at: HostAndPort; db: number }
  | { kind: 'cluster'; nodes: HostAndPort[] }
  | { kind: 'sentinel'; sentinels: HostAndPort[]; master: string; sentinelAccess: Access }
);

/** Throws config.invalid, without repeating a value: it can be a password. Reads the TLS files. */
export function planConnection(settings: RedisSettings): RedisPlan {
  const { sentinel } = settings;
  if (sentinel !== undefined) {
    const tls = sentinel.tls === true ? tlsOf(settings) : {};
    return {
      kind: 'sentinel',
      access: { ...named(settings), ...tls },
      sentinels: [...sentinel.sentinels],
      master: sentinel.master,
      sentinelAccess: { ...named(sentinel), ...tls },
    };
  }

  const urls = parseRedisUrls(settings.url ?? '');
  const [first] = urls;
  if (urls.length === 0 || first === undefined) throw badUrl();
  const inUrl = urls.map(namedIn).find(({ username, password }) => username ?? password);
  const access = {
    ...(inUrl ?? named(settings)),
    ...(first.protocol === 'rediss:' ? tlsOf(settings) : {}),
  };
  const nodes = urls.map(({ hostname, port }) => ({
    // An IPv6 address stands in brackets only in a URL.
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(port || 6379),
  }));
  if (settings.cluster === true || urls.length > 1) return { kind: 'cluster', access, nodes };
  const [at = { host: '', port: 0 }] = nodes;
  return { kind: 'server', access, at, db: Number(first.pathname.slice(1)) };
}

/** The URLs of REDIS_URL; none when one of them is not right, or they do not agree. */
export function parseRedisUrls(text: string): URL[] {
  const urls = text.split(',').map((url) => (URL.canParse(url.trim()) ? new URL(url.trim()) : undefined));
  const right = urls.filter((url) => url !== undefined).filter(isRedisUrl);
  const agree = new Set(right.map(({ protocol }) => protocol)).size === 1;
  // A Cluster has one database.
  const database = right.length === 1 || right.every(({ pathname }) => pathname === '' || pathname === '/');
  return right.length === urls.length && agree && database ? right : [];
}

function isRedisUrl({ protocol, hostname, pathname }: URL): boolean {
  return (
    hostname !== '' && (protocol === 'redis:' || protocol === 'rediss:') && /^(\/\d{0,5})?$/.test(pathname)
  );
}

function namedIn({ username, password, searchParams }: URL): Access {
  return named({
    username: decoded(username) || searchParams.get('username') || undefined,
    password: decoded(password) || searchParams.get('password') || undefined,
  });
}

/** A lone percent sign stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function named(from: { username?: string | undefined; password?: string | undefined }): Access {
  const { username, password } = from;
  return { ...(username !== undefined && { username }), ...(password !== undefined && { password }) };
}

function tlsOf({ tlsFiles = {} }: RedisSettings): Pick<Access, 'tls'> {
  const read = (file: string) => {
    try {
      return readFileSync(file);
    } catch (cause) {
      throw new DriverError('config.invalid', `${file} can't be read, which Redis' TLS needs`, {
        retryable: false,
        cause,
      });
    }
  };
  const { ca, cert, key } = tlsFiles;
  return {
    tls: {
      ...(ca !== undefined && { ca: read(ca) }),
      ...(cert !== undefined && { cert: read(cert) }),
      ...(key !== undefined && { key: read(key) }),
    },
  };
}

function badUrl(): DriverError {
  return new DriverError(
    'config.invalid',
    'REDIS_URL must be redis://[user:password@]host[:port][/db], or rediss://… for TLS; several nodes of a Cluster are separated by commas, all of one scheme and without a database',
    { retryable: false },
  );
}
