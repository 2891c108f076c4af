/** The connection to Redis: never hangs, never crashes the process, reconnects for ever. */
import { Redis } from 'ioredis';
import { DriverError } from '../errors.ts';
import { EVENT, type Logger } from '../events.ts';

export type RedisConnectionOptions = {
  /** `redis://[user:password@]host[:port][/db]`, or `rediss://` for TLS. */
  url: string;
  log: Logger;
  /** PEM of a certificate authority that Node does not know (with rediss://). */
  ca?: string;
  /** Milliseconds for a connection to be made. Default 5,000. */
  connectTimeoutMs?: number;
  /** Milliseconds after which a call without an answer fails as index.unavailable. Default 10,000. */
  commandTimeoutMs?: number;
};

/** Attempts to reconnect that a waiting call sits through. */
const RETRIES_PER_REQUEST = 2;
const LONGEST_PAUSE_MS = 2_000;

/** Connects in the background; check() of a port tells whether it worked. Throws config.invalid on a bad URL. */
export function connectRedis(options: RedisConnectionOptions): Redis {
  const { protocol } = parseRedisUrl(options.url);
  const commandTimeout = options.commandTimeoutMs ?? 10_000;
  const redis = new Redis(options.url, {
    connectionName: 'pristine',
    connectTimeout: options.connectTimeoutMs ?? 5_000,
    commandTimeout,
    // What is left of a connection that is closed already delays an exit no longer than this.
    disconnectTimeout: 500,
    // A connection that swallows commands is dropped: commandTimeout alone would leave it in use.
    socketTimeout: commandTimeout,
    maxRetriesPerRequest: RETRIES_PER_REQUEST,
    retryStrategy: (attempt) => Math.min(100 * 2 ** attempt, LONGEST_PAUSE_MS) * (0.5 + Math.random() / 2),
    // A failover leaves us on a replica: a new connection finds the new primary.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    // Known by servers of every age and by proxies; nothing here needs RESP3.
    protocol: 2,
    ...(protocol === 'rediss:' && { tls: options.ca === undefined ? {} : { ca: options.ca } }),
  });

  let connected: boolean | undefined;
  // Without a listener an error would end the process. One line a loss, not one an attempt.
  redis.on('error', (error: Error) => {
    if (connected === false) return;
    connected = false;
    // Not the error itself: it carries the command's arguments, and AUTH's is the password.
    options.log.warn(
      { event: EVENT.indexDisconnected, reason: error.message },
      'No connection to Redis; it is tried again',
    );
  });
  redis.on('ready', () => {
    connected = true;
    options.log.info({ event: EVENT.indexConnected }, 'Connected to Redis');
  });
  return redis;
}

/** Lets calls under way finish, for at most the command timeout, and disconnects. */
export async function closeRedis(redis: Redis): Promise<void> {
  try {
    await redis.quit();
  } catch {
    // It was not connected, or did not answer: then there is nothing to finish.
  } finally {
    redis.disconnect();
  }
}

function parseRedisUrl(url: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.hostname && (parsed.protocol === 'redis:' || parsed.protocol === 'rediss:')) return parsed;
  throw new DriverError(
    'config.invalid',
    'REDIS_URL must be redis://[user:password@]host[:port][/db], or rediss://… for TLS',
    { retryable: false },
  );
}
