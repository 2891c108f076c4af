/** What Redis and ioredis throw, as DriverError. Their own words stay in `cause`: they can hold arguments. */
import { certificateTrouble } from '../certificate-trouble.ts';
import { DriverError } from '../errors.ts';

/** First words of the error replies that our own scripts make. */
const SCHEMA_REPLY = /^(?:ERR )?PRISTINE_SCHEMA (\S+)/;
const BUILD_LOST_REPLY = /^(?:ERR )?PRISTINE_BUILD_LOST/;
const NO_CLUSTER = /cluster support disabled/i;
const UNKNOWN_COMMAND = /unknown (?:redis )?command/i;

/**
 * Waits for an answer of Redis; what it throws becomes index.unavailable (may pass: try again) or
 * index.invalid (needs a person). `place` is the key pattern that the message points to; `trouble` says why there is
 * no connection, where the error does not.
 */
export async function fromRedis<T>(
  answer: Promise<T>,
  place: string,
  trouble?: () => Error | undefined,
): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw toDriverError(error, place, trouble?.());
  }
}

export function toDriverError(error: unknown, place: string, trouble?: Error): DriverError {
  if (error instanceof DriverError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof Error) || error.name !== 'ReplyError') return unreachable(error, trouble);

  const schema = SCHEMA_REPLY.exec(message)?.[1];
  if (schema !== undefined) return otherSchema(schema, place, error);
  if (BUILD_LOST_REPLY.test(message)) {
    return new DriverError(
      'index.unavailable',
      'This rebuild of the index was taken over by another or stood still for too long: start it again',
      { retryable: true, cause: error },
    );
  }
  if (UNKNOWN_COMMAND.test(message)) return noBloom(error);
  if (NO_CLUSTER.test(message)) {
    return unavailable('This Redis is no Cluster: give one URL in REDIS_URL and no REDIS_CLUSTER', error);
  }

  const code = /^[A-Z]+(?= )/.exec(message)?.[0] ?? 'ERR';
  switch (code) {
    case 'WRONGTYPE':
      return wrongType(place, error);
    case 'NOAUTH':
    case 'WRONGPASS':
    case 'NOPERM':
      // Passwords are changed while scans run: they go on when the two agree again.
      return unavailable(`Redis refuses the user or password in REDIS_URL, or a command (${code})`, error);
    case 'MOVED':
      return unavailable('This Redis is a node of a Cluster: set REDIS_CLUSTER to true', error);
    case 'CLUSTERDOWN':
      return clusterDown(error);
    case 'OOM':
      return unavailable('Redis is at its maxmemory: give it more, or delete what is not needed', error);
    default:
      return unavailable(`Redis answered with an error (${code})`, error);
  }
}

export function wrongType(place: string, cause?: unknown): DriverError {
  return new DriverError(
    'index.invalid',
    `A key of another type is in the index's place, ${place} in Redis: if it belongs to another program, set another PRISTINE_KEY_PREFIX; if not, delete it and run \`pristine index rebuild\``,
    { retryable: false, cause },
  );
}

export function otherSchema(found: string, place: string, cause?: unknown): DriverError {
  return new DriverError(
    'index.invalid',
    `The index at ${place} in Redis has schema version ${found.slice(0, 20)}, which this program does not read: use the program that wrote it, or run \`pristine index rebuild\` with this one`,
    { retryable: false, cause },
  );
}

export function unreadableAnswer(place: string, cause: unknown): DriverError {
  return new DriverError(
    'index.invalid',
    `What Redis holds at ${place} can't be read: make the index anew with \`pristine index rebuild\``,
    { retryable: false, cause },
  );
}

function noBloom(cause: unknown): DriverError {
  return new DriverError(
    'index.invalid',
    'This Redis has no Bloom filters (RedisBloom 2.4.4 or newer): use Redis 8, where they are built in, Redis Stack, or `loadmodule redisbloom.so`',
    { retryable: false, cause },
  );
}

function unreachable(cause: unknown, because?: Error): DriverError {
  const said = cause instanceof Error ? cause.cause : undefined;
  // A Cluster that can't be used: what its nodes say is why.
  if (said instanceof Error && said.name === 'ReplyError') return toDriverError(said, '');
  if (cause instanceof Error && cause.message.includes('CLUSTERDOWN')) return clusterDown(cause);
  const trouble = certificateTrouble(cause) ?? certificateTrouble(because);
  if (trouble !== undefined) return unavailable(`Redis can't be used: ${trouble}`, cause);
  const code = errorCode(cause);
  return unavailable(`Redis does not answer at the address in REDIS_URL${code ? ` (${code})` : ''}`, cause);
}

function clusterDown(cause: unknown): DriverError {
  return unavailable('A part of the Redis Cluster’s keys has no master (CLUSTERDOWN)', cause);
}

function unavailable(message: string, cause: unknown): DriverError {
  return new DriverError('index.unavailable', message, { retryable: true, cause });
}

function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return /^[A-Z0-9_]{1,40}$/.test(error.code) ? error.code : undefined;
}
