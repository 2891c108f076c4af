/** The connection to Redis: never hangs, never crashes the process, reconnects for ever. */
import { Redis, type RedisOptions } from 'ioredis';
import { EVENT, type Logger } from '../events.ts';
import { type RedisConnection, TimedCluster } from './cluster.ts';
import { noteTrouble } from './connection-trouble.ts';
import { planConnection, type RedisPlan, type RedisSettings } from './settings.ts';

export type RedisConnectionOptions = RedisSettings & {
  log: Logger;
  /** Milliseconds for a connection to be made. Default 5,000. */
  connectTimeoutMs?: number;
  /** Milliseconds after which a call without an answer fails as index.unavailable. Default 10,000. */
  commandTimeoutMs?: number;
};

/** Attempts to reconnect that a waiting call sits through. */
const RETRIES_PER_REQUEST = 2;
const LONGEST_PAUSE_MS = 2_000;
/** How often a Cluster is asked who holds what, besides after each redirection. */
const SLOTS_REFRESH_MS = 10_000;

/** Connects in the background; check() of a port tells whether it worked. Throws config.invalid on bad settings. */
export function connectRedis(options: RedisConnectionOptions): RedisConnection {
  const redis = connect(planConnection(options), {
    connectTimeoutMs: options.connectTimeoutMs ?? 5_000,
    commandTimeoutMs: options.commandTimeoutMs ?? 10_000,
  });

  let connected: boolean | undefined;
  // Without a listener an error would end the process. One line a loss, not one an attempt.
  redis.on('error', (error: Error & { lastNodeError?: Error }) => {
    noteTrouble(redis, error.lastNodeError ?? error);
    if (connected === false) return;
    connected = false;
    // Not the error itself: it carries the command's arguments, and AUTH's is the password.
    options.log.warn(
      { event: EVENT.indexDisconnected, reason: (error.lastNodeError ?? error).message },
      'No connection to Redis; it is tried again',
    );
  });
  redis.on('ready', () => {
    noteTrouble(redis, undefined);
    connected = true;
    options.log.info({ event: EVENT.indexConnected }, 'Connected to Redis');
  });
  return redis;
}

/** Lets calls under way finish, for at most the command timeout, and disconnects. */
export async function closeRedis(redis: RedisConnection): Promise<void> {
  try {
    await redis.quit();
  } catch {
    // It was not connected, or did not answer: then there is nothing to finish.
  } finally {
    redis.disconnect();
  }
}

type Timeouts = { connectTimeoutMs: number; commandTimeoutMs: number };

function connect(plan: RedisPlan, { connectTimeoutMs, commandTimeoutMs }: Timeouts): RedisConnection {
  const shared = {
    connectionName: 'pristine',
    connectTimeout: connectTimeoutMs,
    commandTimeout: commandTimeoutMs,
    // What is left of a connection that is closed already delays an exit no longer than this.
    disconnectTimeout: 500,
    // A connection that swallows commands is dropped: commandTimeout alone would leave it in use.
    socketTimeout: commandTimeoutMs,
    maxRetriesPerRequest: RETRIES_PER_REQUEST,
    // Known by servers of every age and by proxies; nothing here needs RESP3.
    protocol: 2,
    ...plan.access,
  } satisfies RedisOptions;
  if (plan.kind === 'cluster') {
    return new TimedCluster(plan.nodes, {
      commandTimeoutMs,
      redisOptions: shared,
      clusterRetryStrategy: pause,
      slotsRefreshTimeout: connectTimeoutMs,
      slotsRefreshInterval: SLOTS_REFRESH_MS,
      // A node's name is left to TLS to compare with its certificate; Node looks its address up.
      dnsLookup: (name, found) => found(null, name),
    });
  }

  const server = {
    ...shared,
    retryStrategy: pause,
    // A failover leaves us on a replica: a new connection finds the new primary.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  } satisfies RedisOptions;
  if (plan.kind === 'server') return new Redis({ ...server, ...plan.at, db: plan.db });
  const { username, password, tls } = plan.sentinelAccess;
  return new Redis({
    ...server,
    sentinels: plan.sentinels,
    name: plan.master,
    sentinelRetryStrategy: pause,
    sentinelCommandTimeout: commandTimeoutMs,
    // Told by the Sentinels, it leaves a master that hangs before its own calls time out.
    failoverDetector: true,
    ...(username !== undefined && { sentinelUsername: username }),
    ...(password !== undefined && { sentinelPassword: password }),
    ...(tls !== undefined && { enableTLSForSentinelMode: true, sentinelTLS: tls }),
  });
}

/** Milliseconds before the next attempt: doubled up to a limit, with jitter. */
function pause(attempt: number): number {
  return Math.min(100 * 2 ** attempt, LONGEST_PAUSE_MS) * (0.5 + Math.random() / 2);
}
