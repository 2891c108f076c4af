/** Why a connection broke or could not be made. Of the calls that wait for it ioredis says only how often it tried. */
import type { RedisConnection } from './cluster.ts';

const last = new WeakMap<RedisConnection, Error>();

/** `undefined`: it stands again. */
export function noteTrouble(redis: RedisConnection, trouble: Error | undefined): void {
  if (trouble === undefined) last.delete(redis);
  else last.set(redis, trouble);
}

export function lastTrouble(redis: RedisConnection): Error | undefined {
  return last.get(redis);
}
