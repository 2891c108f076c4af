/** A Redis Cluster whose calls end, and its masters. */
import { Cluster, type ClusterNode, type ClusterOptions, type Command, type Redis } from 'ioredis';
import { z } from 'zod';
import { DriverError } from '../errors.ts';

/** What the ports are made over: one server (perhaps found by Sentinels), or a Cluster. */
export type RedisConnection = Redis | Cluster;

type TimedClusterOptions = ClusterOptions & {
  /** Milliseconds. */
  commandTimeoutMs: number;
  // Replies as one server gives them to the same commands: ioredis' types tell the two apart.
  redisOptions: NonNullable<ClusterOptions['redisOptions']> & { replyMapping?: 'legacy' };
};

/**
 * ioredis lets a call to a Cluster that can't be reached wait for ever: here it fails after `commandTimeoutMs`,
 * with what a node said last as its cause.
 */
export class TimedCluster extends Cluster {
  readonly #commandTimeoutMs: number;
  readonly #timed = new WeakSet<Command>();
  #lastNodeError: unknown;

  constructor(nodes: ClusterNode[], options: TimedClusterOptions) {
    const { commandTimeoutMs, ...rest } = options;
    // Connects when #timed is there, not within super().
    super(nodes, { ...rest, lazyConnect: true });
    this.#commandTimeoutMs = commandTimeoutMs;
    this.on('node error', (error: unknown) => {
      this.#lastNodeError = error;
    });
    this.on('ready', () => {
      this.#lastNodeError = undefined;
    });
    // Its failures are told by 'error', and tried again.
    this.connect().catch(() => {});
  }

  override sendCommand(command: Command, ...more: unknown[]): unknown {
    // A call that waited is sent through here once more.
    if (!this.#timed.has(command)) {
      this.#timed.add(command);
      const timer = setTimeout(() => {
        command.reject(new Error('Command timed out', { cause: this.#lastNodeError }));
      }, this.#commandTimeoutMs);
      const settled = () => clearTimeout(timer);
      command.promise.then(settled, settled);
    }
    return Reflect.apply(super.sendCommand, this, [command, ...more]);
  }
}

const slotRanges = z.array(
  z.tuple([z.int(), z.int(), z.tuple([z.string(), z.int()], z.unknown())], z.unknown()),
);
const SLOTS = 16_384;

/**
 * The servers that hold all keys between them. Throws index.unavailable when a part of the keys has no master
 * that is connected: what they hold would look as if it were not there.
 */
export async function mastersOf(redis: RedisConnection): Promise<Redis[]> {
  if (!(redis instanceof Cluster)) return [redis];
  const ranges = slotRanges.parse(await redis.cluster('SLOTS'));
  const connected = redis.nodes('master');
  const masters = new Set<Redis>();
  let covered = 0;
  for (const [first, last, [host, port]] of ranges) {
    const master = connected.find(({ options }) => options.host === host && options.port === port);
    if (master === undefined) continue;
    masters.add(master);
    covered += last - first + 1;
  }
  if (covered === SLOTS) return [...masters];
  throw new DriverError(
    'index.unavailable',
    'A part of the Redis Cluster’s keys has no master to be reached',
    {
      retryable: true,
    },
  );
}
